"""A folder as a tar that is read forwards: what `rootless import FOLDER` makes its layer of.

The same folder gives the same bytes: names in the order of their bytes, no time but those of the
files, no names of users. Sources: POSIX.1-2017 pax; extended attributes as star has them
(`SCHILY.xattr.`); files with holes as GNU tar's sparse format 1.0.

Owners are kept, but for the caller's own UID and GID, which become 0: what a user made belongs to
the container's root, as when fakeroot had made it. Of the extended attributes `user.*` and file
capabilities are kept; labels and ACLs speak of this host.

Everything is opened by descriptor beneath the folder, and no link is followed. Nothing but regular
files and directories is opened at all. Sockets, and what is mounted inside the folder, are left
out.
"""

import os
import stat
from collections.abc import Generator
from dataclasses import dataclass

from rootless.errors import InvalidInput
from rootless.image.byte_stream import Chunked
from rootless.image.host_folder import HostFolder
from rootless.image.host_xattrs import kept_of
from rootless.image.member_header import END, Member, header, padding
from rootless.image.sparse_map import SparseMap, sparse_map

_CHUNK = 1 << 20
_WHITEOUT = ".wh."
_OWNER_FIX = "make a tar of the folder as somebody who can read it, and import that"

_Chunks = Generator[bytes, None, None]


@dataclass(frozen=True, slots=True)
class _Object:
    """One object of the folder: its path below it, `.` the folder itself; status; link target."""

    path: str
    status: os.stat_result
    target: str = ""


class FolderTar(Chunked):
    """The tar of a folder, made while it is read.

    Args:
        folder: Its path.

    Attributes:
        left_out: What is not in the tar, once that was read: paths, each with the reason.
    """

    def __init__(self, folder: str) -> None:
        super().__init__(self._write())
        self.left_out: list[str] = []
        self._folder = HostFolder(folder, _OWNER_FIX)
        self._own = (os.getuid(), os.getgid())
        self._linked: dict[tuple[int, int], str] = {}

    def _write(self) -> _Chunks:
        with self._folder:
            root = _Object(".", self._folder.status())
            waiting = [root]
            while waiting:
                each = waiting.pop()
                if stat.S_ISDIR(each.status.st_mode):
                    below = yield from self._directory(each, root)
                    waiting += reversed(below)
                elif stat.S_ISREG(each.status.st_mode):
                    yield from self._file(each)
                elif stat.S_ISSOCK(each.status.st_mode):
                    self.left_out.append(f"{each.path} (a socket)")
                else:
                    yield self._header(each)
            yield END

    def _directory(
        self, directory: _Object, root: _Object
    ) -> Generator[bytes, None, list[_Object]]:
        """Write a directory's own member; return what is in it, in the order of the names."""
        with self._folder.opened(directory.path, os.O_DIRECTORY) as fd:
            status = os.fstat(fd)
            yield self._header(_Object(directory.path, status), xattrs=kept_of(fd, self._own[0]))
            if status.st_dev != root.status.st_dev:
                self.left_out.append(f"what is mounted on {directory.path}")
                return []
            prefix = "" if directory is root else f"{directory.path}/"
            with self._folder.explained(directory.path):
                return [
                    self._look(fd, name, prefix) for name in sorted(os.listdir(fd), key=os.fsencode)
                ]

    def _look(self, dir_fd: int, name: str, prefix: str) -> _Object:
        path = prefix + name
        if name.startswith(_WHITEOUT):
            fix = f"in a layer {_WHITEOUT} marks what it takes away: rename the file"
            raise InvalidInput("name cannot be in an image", self._folder.full(path), fix)
        status = os.stat(name, dir_fd=dir_fd, follow_symlinks=False)
        is_link = stat.S_ISLNK(status.st_mode)
        return _Object(path, status, os.readlink(name, dir_fd=dir_fd) if is_link else "")

    def _file(self, file: _Object) -> _Chunks:
        key = (file.status.st_dev, file.status.st_ino)
        first = self._linked.get(key)
        if first is not None:
            yield self._header(file, link=first)
            return
        with self._folder.opened(file.path, os.O_NONBLOCK) as fd:
            status = os.fstat(fd)
            if not stat.S_ISREG(status.st_mode):
                raise self._changed(file.path)
            if status.st_nlink > 1:
                self._linked[key] = file.path
            found = sparse_map(fd, status)
            xattrs = kept_of(fd, self._own[0])
            yield self._header(_Object(file.path, status), xattrs=xattrs, holes=found)
            for offset, length in found.extents if found else [(0, status.st_size)]:
                yield from self._content(file.path, fd, offset, length)
            stored = found.stored if found else status.st_size
            yield padding(stored)

    def _content(self, path: str, fd: int, offset: int, length: int) -> _Chunks:
        end = offset + length
        while offset < end:
            with self._folder.explained(path):
                chunk = os.pread(fd, min(_CHUNK, end - offset), offset)
            if not chunk:
                raise self._changed(path)
            offset += len(chunk)
            yield chunk

    def _header(
        self,
        each: _Object,
        *,
        link: str = "",
        xattrs: dict[bytes, bytes] | None = None,
        holes: SparseMap | None = None,
    ) -> bytes:
        status = each.status
        member = Member(
            path=each.path,
            mode=status.st_mode,
            uid=0 if status.st_uid == self._own[0] else status.st_uid,
            gid=0 if status.st_gid == self._own[1] else status.st_gid,
            mtime_ns=status.st_mtime_ns,
            size=status.st_size,
            target=each.target,
            rdev=status.st_rdev,
            xattrs=xattrs or {},
            link=link,
        )
        return header(member, holes)

    def _changed(self, path: str) -> InvalidInput:
        fix = "import it when nothing writes to it"
        return InvalidInput("file changed while it was read", self._folder.full(path), fix)
