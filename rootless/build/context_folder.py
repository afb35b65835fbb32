"""A build context that is a folder of the host.

Everything is opened by descriptor beneath the folder, and no link is followed by the kernel: what
is exchanged for a link while the build runs leads nowhere. Nothing but regular files and
directories is opened at all. Owners become the container's root, as what a user made is his.
"""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from copy import copy

from rootless.build.copy_source import ROOT, Contents, Node
from rootless.build.ignore import Ignore
from rootless.errors import InvalidInput
from rootless.image.host_folder import HostFolder
from rootless.image.host_xattrs import kept_of
from rootless.image.sparse_map import sparse_map


class ContextFolder:
    """A folder; `close` lets go of it.

    Args:
        folder: Its path.
        ignore: What in it is of no concern.

    Raises:
        NotFound: It is none, or cannot be opened.
    """

    what = "the build context"
    keeps_owners = False
    fingerprint = b""

    def __init__(self, folder: str, ignore: Ignore) -> None:
        self._folder = HostFolder(folder)
        self._folder.open()
        self.ignore = ignore
        self._own_uid = os.getuid()

    def without(self, ignore: Ignore) -> "ContextFolder":
        """Return the same folder, but for what an ignore file keeps away; it closes with this."""
        same = copy(self)
        same.ignore = ignore
        return same

    def close(self) -> None:
        """Let go of the folder; harmless when repeated."""
        self._folder.close()

    def lookup(self, path: bytes) -> Node | None:
        """Return what is at a path; raises NotFound where it may not be looked at."""
        if path == ROOT:
            return _node(path, self._folder.status(), b"")
        with self._folder.explained(path):
            try:
                # so a link at the end is opened, not followed
                fd = self._folder.open_at(path, os.O_PATH | os.O_NOFOLLOW)
            except (FileNotFoundError, NotADirectoryError):
                return None
            try:
                status = os.fstat(fd)
                is_link = stat.S_ISLNK(status.st_mode)
                return _node(path, status, os.readlink(b"", dir_fd=fd) if is_link else b"")
            finally:
                os.close(fd)

    def children(self, folder: Node) -> list[Node]:
        """Return what is in a folder, by name; raises NotFound where that cannot be read."""
        prefix = folder.path + b"/" if folder.path else b""
        with (
            self._folder.opened(folder.path, os.O_DIRECTORY) as fd,
            self._folder.explained(folder.path),
        ):
            found = []
            with os.scandir(fd) as entries:
                for entry in entries:
                    name = os.fsencode(entry.name)
                    status = entry.stat(follow_symlinks=False)
                    is_link = stat.S_ISLNK(status.st_mode)
                    target = os.readlink(name, dir_fd=fd) if is_link else b""
                    found.append(_node(prefix + name, status, target))
        return sorted(found)

    @contextmanager
    def open(self, node: Node) -> Iterator[Contents]:
        """Give a file or a folder; raises InvalidInput where it is another one by now."""
        is_folder = stat.S_ISDIR(node.mode)
        with self._folder.opened(node.path, os.O_DIRECTORY if is_folder else os.O_NONBLOCK) as fd:
            status = os.fstat(fd)
            self._check(node, status)
            xattrs = kept_of(fd, self._own_uid)
            if is_folder:
                yield Contents(0, xattrs)
                return
            holes = sparse_map(fd, status)

            def read(offset: int, size: int) -> bytes:
                with self._folder.explained(node.path):
                    return os.pread(fd, size, offset)

            yield Contents(status.st_size, xattrs, holes, read)
            self._check(node, os.fstat(fd))

    def _check(self, node: Node, status: os.stat_result) -> None:
        if _stamp(status) != node.stamp and not stat.S_ISDIR(node.mode):
            fix = "build when nothing writes to it, or name it in .dockerignore"
            raise InvalidInput("file changed while it was read", self._folder.full(node.path), fix)


def _node(path: bytes, status: os.stat_result, target: bytes) -> Node:
    mode = status.st_mode
    many = status.st_nlink > 1 and not stat.S_ISDIR(mode)
    return Node(
        path=path,
        mode=mode,
        size=status.st_size if stat.S_ISREG(mode) else 0,
        mtime_ns=status.st_mtime_ns,
        rdev=status.st_rdev if stat.S_ISCHR(mode) or stat.S_ISBLK(mode) else 0,
        target=target,
        identity=(status.st_dev, status.st_ino) if many else None,
        stamp=_stamp(status),
    )


def _stamp(status: os.stat_result) -> tuple[int, ...]:
    return (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)
