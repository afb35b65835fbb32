"""Open files of a writable mount.

A file of the lower tree that is open for reading has no descriptor of its own: its layer's tar is
open anyway. When it is copied up through another handle, the reads of this one must follow, since
the kernel keeps one set of pages for both; so the first read after that opens the copy.
"""

import errno
import os

from .change import Changes, change
from .copy_up import copy_up
from .entry import Inode
from .node import Node
from .overlay import Overlay

# What the kernel does by itself (append, create, exclusive, direct I/O), or must not be repeated.
_DROPPED = os.O_APPEND | os.O_CREAT | os.O_EXCL | os.O_TRUNC | os.O_DIRECT | os.O_NOATIME
_ALWAYS = os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class Handle:
    """One open file: its node, and a descriptor in the upperdir, -1 while it is the lower one."""

    __slots__ = ("fd", "node")

    def __init__(self, node: Node, fd: int) -> None:
        self.node = node
        self.fd = fd


class Handles:
    """All open files, by the numbers that the kernel has for them."""

    def __init__(self, overlay: Overlay) -> None:
        self._overlay = overlay
        self._handles: dict[int, Handle] = {}
        self._last = 0

    def __len__(self) -> int:
        return len(self._handles)

    def open(self, node: Node, flags: int) -> int:
        """Return the number of a new handle; the flags are the system call's."""
        writes = flags & os.O_ACCMODE != os.O_RDONLY
        if writes or flags & os.O_TRUNC:
            copy_up(self._overlay, node, 0 if flags & os.O_TRUNC else None)
        if flags & os.O_TRUNC:
            change(self._overlay, node, Changes(size=0))
        return self.add(node, self._open_upper(node, flags))

    def add(self, node: Node, fd: int) -> int:
        """Return the number of a handle for a descriptor, which is closed with it."""
        self._last += 1
        self._handles[self._last] = Handle(node, fd)
        return self._last

    def read(self, number: int, offset: int, room: memoryview) -> "bytes | memoryview":
        """Read as much as there is room for; fewer bytes only at the end."""
        handle = self._current(number)
        node = handle.node
        if handle.fd >= 0:
            return room[: os.preadv(handle.fd, [room], offset)]
        if node.lower is None:
            raise OSError(errno.ESTALE, os.strerror(errno.ESTALE))
        return self._overlay.lower.read(node.lower, offset, len(room))

    def lower(self, number: int) -> Inode | None:
        """Return the file of the lower that is read by a handle; None once it is a copy."""
        handle = self._current(number)
        return handle.node.lower if handle.fd < 0 else None

    def read_once(self, node: Node, offset: int, room: memoryview) -> memoryview:
        """Read a file that has no handle, as it was not in the upperdir when it was opened."""
        fd = self._open_upper(node, os.O_RDONLY)
        try:
            return room[: os.preadv(fd, [room], offset)]
        finally:
            os.close(fd)

    def seek(self, number: int, offset: int, whence: int) -> int:
        """Return where data or a hole begins (lseek(2)); a lower file is all data."""
        handle = self._current(number)
        if handle.fd >= 0:
            return os.lseek(handle.fd, offset, whence)
        size = handle.node.lower.size if handle.node.lower is not None else 0
        if not 0 <= offset < size:
            raise OSError(errno.ENXIO, os.strerror(errno.ENXIO))
        return offset if whence == os.SEEK_DATA else size

    def write(self, number: int, offset: int, contents: memoryview) -> int:
        """Write all of it, or raise what stopped it where nothing was written."""
        fd = self._handle(number).fd
        done = os.pwrite(fd, contents, offset)
        while done < len(contents):
            try:
                done += os.pwrite(fd, contents[done:], offset + done)
            except OSError:
                break  # the next write says why
        return done

    def sync(self, number: int, *, contents_only: bool) -> None:
        """Bring a file to the disk."""
        fd = self._current(number).fd
        if fd >= 0:
            (os.fdatasync if contents_only else os.fsync)(fd)

    def fd(self, number: int) -> int:
        """Return the descriptor in the upperdir, -1 where there is none."""
        return self._handle(number).fd

    def close(self, number: int) -> None:
        """Close a file."""
        handle = self._handles.pop(number)
        if handle.fd >= 0:
            os.close(handle.fd)

    def _handle(self, number: int) -> Handle:
        try:
            return self._handles[number]
        except KeyError:
            raise OSError(errno.EBADF, os.strerror(errno.EBADF)) from None

    def _current(self, number: int) -> Handle:
        """Return a handle that has a descriptor of the copy, if there is one by now."""
        handle = self._handle(number)
        if handle.fd < 0 and handle.node.is_upper:
            handle.fd = self._open_upper(handle.node, os.O_RDONLY)
        return handle

    def _open_upper(self, node: Node, flags: int) -> int:
        if not node.is_upper:
            return -1
        if not node.links:
            return os.dup(node.orphan_fd)  # opened for reading and writing
        flags = flags & ~_DROPPED | _ALWAYS
        if flags & os.O_ACCMODE == os.O_WRONLY:
            # The kernel may have to read a page before it can write a part of it
            flags = flags & ~os.O_ACCMODE | os.O_RDWR
        place = self._overlay.upper.place(node)
        return os.open(place.name, flags, dir_fd=place.fd)
