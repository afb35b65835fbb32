"""Requests about open files of a writable mount.

Each translates and delegates; see `fast_path` for what a handler gets and returns.

A file of the merged tree that is opened for reading and that nobody has changed needs no handle:
its number stands for it, marked with a bit that no handle's number has. When it is copied up
meanwhile, its reads follow, as those of a handle do (`handles`).
"""

import contextlib
import errno
import os
from collections.abc import Iterator

from . import fallocate, wire
from .fast_path import DONE
from .served import Served
from .splice import Piece

_UNTOUCHED = 1 << 62
_DATASYNC = 1  # FUSE_FSYNC_FDATASYNC
_CHANGES = os.O_ACCMODE | os.O_TRUNC


class FileRequests:
    """Answers them."""

    def __init__(self, served: Served) -> None:
        self._path = served.path
        self._overlay = served.overlay
        self._nodes = served.overlay.nodes
        self._handles = served.handles
        self._untouched = served.untouched
        self._prefetch = served.prefetch
        self._is_volatile = served.features.is_volatile
        served.path.serve(
            {
                wire.OPEN: self._open,
                wire.READ: self._read,
                wire.WRITE: self._write,
                wire.RELEASE: self._release,
                wire.FSYNC: self._fsync,
                wire.LSEEK: self._lseek,
                wire.FALLOCATE: self._fallocate,
                wire.COPY_FILE_RANGE: self._copy_file_range,
            }
        )

    def _open(self, ino: int, length: int) -> bytes:
        del length
        flags, _ = wire.OPEN_IN.unpack_from(self._path.buffer, wire.BODY)
        untouched = self._untouched
        if untouched is not None and not flags & _CHANGES and untouched.knows(ino):
            if self._prefetch is not None:
                self._prefetch.opened(ino, untouched.inode)
            return wire.OPENED.pack(_UNTOUCHED | ino, wire.KEEP_CACHE, 0)
        if self._prefetch is not None:
            self._prefetch.keep_away(ino)
        number = self._handles.open(self._overlay.node(ino), flags)
        return wire.OPENED.pack(number, 0 if flags & os.O_TRUNC else wire.KEEP_CACHE, 0)

    def _read(self, ino: int, length: int) -> Piece | tuple["bytes | memoryview"]:
        del length
        number, offset, size = wire.READ_IN.unpack_from(self._path.buffer, wire.BODY)
        room = self._path.contents(size)
        untouched = self._untouched
        if not number & _UNTOUCHED:
            lower = None if untouched is None else self._handles.lower(number)
            if untouched is None or lower is None:
                return (self._handles.read(number, offset, room),)
            return untouched.piece(lower, offset, size) or (untouched.read(lower, offset, room),)
        node = self._nodes.known(ino)
        if node is not None and node.is_upper:
            return (self._handles.read_once(node, offset, room),)
        if untouched is None:
            raise OSError(errno.EBADF, os.strerror(errno.EBADF))
        inode = untouched.inode(ino)
        return untouched.piece(inode, offset, size) or (untouched.read(inode, offset, room),)

    def _write(self, ino: int, length: int) -> bytes:
        del ino
        number, offset, size, *_ = wire.WRITE_IN.unpack_from(self._path.buffer, wire.BODY)
        start = wire.BODY + wire.WRITE_IN.size
        if length < start + size:
            raise OSError(errno.EIO, "a write shorter than it says")
        contents = self._path.view[start : start + size]
        return wire.SIZE.pack(self._handles.write(number, offset, contents), 0)

    def _release(self, ino: int, length: int) -> bytes:
        del ino, length
        (number,) = wire.NUMBER.unpack_from(self._path.buffer, wire.BODY)
        if not number & _UNTOUCHED:
            self._handles.close(number)
        return DONE

    def _fsync(self, ino: int, length: int) -> bytes:
        del length
        number, flags, _ = wire.FSYNC_IN.unpack_from(self._path.buffer, wire.BODY)
        if self._is_volatile:
            return DONE
        with self._handle(ino, number) as own:
            self._handles.sync(own, contents_only=bool(flags & _DATASYNC))
        return DONE

    def _lseek(self, ino: int, length: int) -> bytes:
        """Find data or a hole; the kernel asks for nothing else."""
        del length
        number, offset, whence, _ = wire.LSEEK_IN.unpack_from(self._path.buffer, wire.BODY)
        with self._handle(ino, number) as own:
            return wire.NUMBER.pack(self._handles.seek(own, offset, whence))

    @contextlib.contextmanager
    def _handle(self, ino: int, number: int) -> Iterator[int]:
        """Give a handle's number, for a file without one that of a handle for the moment."""
        if not number & _UNTOUCHED:
            yield number
            return
        own = self._handles.open(self._overlay.node(ino), os.O_RDONLY)
        try:
            yield own
        finally:
            self._handles.close(own)

    def _fallocate(self, ino: int, length: int) -> bytes:
        del ino, length
        number, offset, size, mode, _ = wire.FALLOCATE_IN.unpack_from(self._path.buffer, wire.BODY)
        fallocate.fallocate(self._handles.fd(number), mode, offset, size)
        return DONE

    def _copy_file_range(self, ino: int, length: int) -> bytes:
        """Copy within the upperdir, where blocks may be shared; the rest the kernel does itself."""
        del ino, length
        fields = wire.COPY_IN.unpack_from(self._path.buffer, wire.BODY)
        number, offset, _, target_number, target_offset, size, _ = fields
        source = -1 if number & _UNTOUCHED else self._handles.fd(number)
        if source < 0:
            raise OSError(errno.EOPNOTSUPP, os.strerror(errno.EOPNOTSUPP))
        target = self._handles.fd(target_number)
        size = min(size, _COPY_MAX)
        done = os.copy_file_range(source, target, size, offset, target_offset)
        return wire.SIZE.pack(done, 0)


_COPY_MAX = 1 << 30  # others wait meanwhile
