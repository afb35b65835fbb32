"""A tar into a folder that is mounted: what `rootless cp` writes, on the host or in a container.

Every name is resolved anew by the kernel, from a descriptor of where it may lie at most: beneath
the folder on the host, inside the root in a container. So neither a link of the tar nor one that a
hostile container puts in a folder's place leads out.

A folder onto a folder is merged, and the old one keeps its attributes. What is neither takes the
place of its like. A folder and something else do not replace each other, unless that is asked for.
"""

import errno
import os
import shutil
import stat
import tarfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import IO, Any, Protocol, cast

from rootless.errors import Conflict, IntegrityError
from rootless.image.byte_stream import ByteStream

_CHUNK = 1 << 20
_XATTR = "SCHILY.xattr."
_REFUSED = (errno.EPERM, errno.EINVAL, errno.EOPNOTSUPP, errno.EACCES)


class Locate(Protocol):
    """Opens what lies at a path below the folder that the tar goes to; "." is that folder."""

    def __call__(self, path: str, flags: int) -> int:
        """Return a descriptor; raises OSError."""


@dataclass(frozen=True, slots=True)
class Rules:
    """How objects are written.

    Attributes:
        owner: UID and GID for those of a member; None leaves them the writer's.
        mode_mask: Permission bits that are kept.
        overwrite: Folders give way to other things, and the other way round.
        follows_folders: A link to a folder is as good as a folder.
        dresses_top: The folder that the tar calls "." gets that member's attributes.
    """

    owner: Callable[[int, int], tuple[int, int]] | None = None
    mode_mask: int = 0o7777
    overwrite: bool = False
    follows_folders: bool = False
    dresses_top: bool = False


class Unpacker:
    """Writes the members of one tar.

    Args:
        locate: Where they go.
        top: Path of the object that the tar calls "."; "." where that is the folder itself.
        rules: How.

    Attributes:
        left_out: What could not be made, for people.
    """

    def __init__(self, locate: Locate, top: str, rules: Rules) -> None:
        self.left_out: list[str] = []
        self._locate = locate
        self._top = top
        self._rules = rules
        self._made_folders: list[tuple[str, tarfile.TarInfo]] = []

    def unpack(self, stream: ByteStream) -> None:
        """Write everything; raises Conflict, IntegrityError, OSError."""
        with _members(stream) as archive:
            while (member := archive.next()) is not None:
                self._put(archive, member)
                cast("Any", archive).members.clear()  # it would keep them all
        for path, member in reversed(self._made_folders):
            fd = self._locate(path, os.O_RDONLY | os.O_DIRECTORY)
            try:
                self._dress(fd, member)
            finally:
                os.close(fd)

    def unpack_onto(self, stream: ByteStream, place: int) -> None:
        """Write the only member, a file, into one that is there and open as a place.

        It stays the file that it is: what it is mounted on, linked with, open for.
        """
        with _members(stream) as archive:
            member = archive.next()
            if member is None or not member.isreg():
                raise Conflict("only a file can be copied onto a file", self._top)
            fd = os.open(f"/proc/self/fd/{place}", os.O_WRONLY | os.O_TRUNC | os.O_CLOEXEC)
            try:
                write_contents(fd, archive, member)
                self._dress(fd, member)
            finally:
                os.close(fd)

    def _put(self, archive: tarfile.TarFile, member: tarfile.TarInfo) -> None:
        path = self._path(member.name)
        if path == ".":
            if not member.isdir():
                raise Conflict("a file in the place of a folder", member.name)
            if self._rules.dresses_top:
                self._made_folders.insert(0, (path, member))
            return
        parent, _, name = path.rpartition("/")
        folder = self._folder(parent or ".")
        try:
            if member.isdir():
                self._make_folder(folder, name, path, member)
            elif member.isreg():
                self._make_file(folder, name, archive, member)
            else:
                self._make_other(folder, name, member)
        except OSError as error:
            raise OSError(error.errno, error.strerror, path) from error
        finally:
            os.close(folder)

    def _path(self, name: str) -> str:
        """Return where a member goes; raises IntegrityError for one that leads out."""
        parts = [part for part in name.split("/") if part not in ("", ".")]
        if ".." in parts:
            raise IntegrityError("a name in the tar leads out of the folder", name)
        return os.path.normpath(os.path.join(self._top, *parts))

    def _folder(self, path: str) -> int:
        """Open a folder, which is made where no member named it."""
        try:
            return self._locate(path, os.O_PATH | os.O_DIRECTORY)
        except FileNotFoundError:
            parent, _, name = path.rpartition("/")
            above = self._folder(parent or ".")
        try:
            os.mkdir(name, 0o755, dir_fd=above)
        except FileExistsError:
            pass
        finally:
            os.close(above)
        return self._locate(path, os.O_PATH | os.O_DIRECTORY)

    def _make_folder(self, folder: int, name: str, path: str, member: tarfile.TarInfo) -> None:
        try:
            os.mkdir(name, 0o700, dir_fd=folder)
        except FileExistsError:
            if self._is_folder(folder, name, path):
                return
            if not self._rules.overwrite:
                raise Conflict("a file is in the place of a folder", path, "--overwrite") from None
            os.unlink(name, dir_fd=folder)
            os.mkdir(name, 0o700, dir_fd=folder)
        self._made_folders.append((path, member))

    def _is_folder(self, folder: int, name: str, path: str) -> bool:
        mode = os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode
        if not stat.S_ISLNK(mode) or not self._rules.follows_folders:
            return stat.S_ISDIR(mode)
        try:
            os.close(self._locate(path, os.O_PATH | os.O_DIRECTORY))
        except OSError:
            return False
        return True

    def _make_room(self, folder: int, name: str) -> None:
        """Take away what something that is no folder is to replace."""
        try:
            os.unlink(name, dir_fd=folder)
        except FileNotFoundError:
            return
        except IsADirectoryError:
            if not self._rules.overwrite:
                what = "a folder is in the place of a file"
                raise Conflict(what, name, "--overwrite") from None
            shutil.rmtree(name, dir_fd=folder)

    def _make_file(
        self, folder: int, name: str, archive: tarfile.TarFile, member: tarfile.TarInfo
    ) -> None:
        self._make_room(folder, name)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        fd = os.open(name, flags, 0o600, dir_fd=folder)
        try:
            write_contents(fd, archive, member)
            self._dress(fd, member)
        finally:
            os.close(fd)

    def _make_other(self, folder: int, name: str, member: tarfile.TarInfo) -> None:
        self._make_room(folder, name)
        if member.islnk():
            self._link(folder, name, member)
            return
        if member.issym():
            os.symlink(member.linkname, name, dir_fd=folder)
        elif member.isfifo():
            os.mkfifo(name, member.mode & self._rules.mode_mask, dir_fd=folder)
        else:
            kind = stat.S_IFBLK if member.isblk() else stat.S_IFCHR
            number = os.makedev(member.devmajor, member.devminor)
            try:
                os.mknod(name, kind | member.mode, number, dir_fd=folder)
            except PermissionError:
                self.left_out.append(f"{member.name} (a device)")
                return
        if self._rules.owner is not None:
            owner = self._rules.owner(member.uid, member.gid)
            _if_allowed(lambda: os.chown(name, *owner, dir_fd=folder, follow_symlinks=False))
        time_ns = mtime_ns(member)
        os.utime(name, ns=(time_ns, time_ns), dir_fd=folder, follow_symlinks=False)

    def _link(self, folder: int, name: str, member: tarfile.TarInfo) -> None:
        parent, _, target = self._path(member.linkname).rpartition("/")
        source = self._locate(parent or ".", os.O_PATH | os.O_DIRECTORY)
        try:
            os.link(target, name, src_dir_fd=source, dst_dir_fd=folder, follow_symlinks=False)
        finally:
            os.close(source)

    def _dress(self, fd: int, member: tarfile.TarInfo) -> None:
        """Give an open file or folder its owner, mode, attributes and time."""
        if self._rules.owner is not None:
            owner = self._rules.owner(member.uid, member.gid)
            _if_allowed(lambda: os.fchown(fd, *owner))
        os.fchmod(fd, member.mode & self._rules.mode_mask)
        for key, value in member.pax_headers.items():
            if key.startswith(_XATTR):
                data = value.encode("utf-8", "surrogateescape")
                _if_allowed(partial(os.setxattr, fd, key[len(_XATTR) :], data))
        time_ns = mtime_ns(member)
        os.utime(fd, ns=(time_ns, time_ns))


@contextmanager
def _members(stream: ByteStream) -> Iterator[tarfile.TarFile]:
    """Give a tar that is read forwards; raises IntegrityError where it is none."""
    try:
        with tarfile.open(
            fileobj=cast("IO[bytes]", stream),  # it only reads
            mode="r|",
            encoding="utf-8",
            errors="surrogateescape",
        ) as archive:
            yield archive
    except tarfile.TarError as error:
        raise IntegrityError("not a tar", str(error)) from error


def _if_allowed(change: Callable[[], None]) -> None:
    """Make a change that the file system, or a map of one ID, may refuse."""
    try:
        change()
    except OSError as error:
        if error.errno not in _REFUSED:
            raise


def write_contents(fd: int, archive: tarfile.TarFile, member: tarfile.TarInfo) -> None:
    """Write a regular member's contents into an empty file; holes stay holes."""
    source = archive.fileobj
    assert source is not None  # noqa: S101 - it is open
    source.seek(member.offset_data)
    for offset, length in _pieces(member):
        end = offset + length
        while offset < end:
            chunk = source.read(min(_CHUNK, end - offset))
            if not chunk:
                raise IntegrityError("the tar ends early", member.name)
            view = memoryview(chunk)
            while view:
                n = os.pwrite(fd, view, offset)
                view, offset = view[n:], offset + n  # noqa: PLW2901 - how far it is written
    os.ftruncate(fd, member.size)


def _pieces(member: tarfile.TarInfo) -> list[tuple[int, int]]:
    """Return offset and length of what the tar has of a file."""
    sparse = cast("list[tuple[int, int]] | None", member.sparse)  # as typeshed does not have it
    return [(0, member.size)] if sparse is None else sparse


def mtime_ns(member: tarfile.TarInfo) -> int:
    """Return a member's time, exactly."""
    text = member.pax_headers.get("mtime")
    if text is None:
        return int(member.mtime) * 10**9
    whole, _, fraction = text.lstrip("-").partition(".")
    if not whole.isdigit() or not (fraction + "0").isdigit():
        raise IntegrityError("a time in the tar is none", member.name)
    time_ns = int(whole) * 10**9 + int(fraction[:9].ljust(9, "0"))
    return -time_ns if text.startswith("-") else time_ns
