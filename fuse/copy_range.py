"""Copying between files, in the kernel where it can: copy_file_range(2), else read and write.

Where source and target lie differently in their pages, as a file of a tar mostly does, the kernel
puts every page together of two: then reading and writing takes four fifths of the time.

Sharing of blocks, where a file system can, is tried first (ioctl_ficlone(2)).
"""

import errno
import fcntl
import os

_FICLONE = 0x40049409  # linux/fs.h
_CHUNK = 1 << 30
_PIECE = 256 << 10
_PAGE = 4096
_NO_FAST_COPY = (errno.EXDEV, errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP, errno.EPERM)


def copy_range(source_fd: int, source: int, fd: int, target: int, length: int) -> None:
    """Copy *length* bytes from offset *source* of one file to offset *target* of another.

    Raises OSError; EIO where the source ends early.
    """
    buffer = None if (source - target) % _PAGE == 0 else _buffer(length)
    while length > 0:
        try:
            if buffer is None:
                done = os.copy_file_range(source_fd, fd, min(length, _CHUNK), source, target)
            else:
                read = os.preadv(source_fd, [buffer[:length]], source)
                done = os.pwrite(fd, buffer[:read], target)
        except OSError as error:
            if buffer is not None or error.errno not in _NO_FAST_COPY:
                raise
            buffer = _buffer(length)
            continue
        if not done:
            raise OSError(errno.EIO, "the source is shorter than it was")
        source, target, length = source + done, target + done, length - done


def copy_sparse(source_fd: int, fd: int, length: int) -> None:
    """Copy the first *length* bytes of a file into a new, empty file; its holes stay holes.

    The whole of a file is shared with the copy (FICLONE) where both lie on one file system that
    can. Raises OSError.
    """
    size = os.fstat(source_fd).st_size
    length = min(length, size)
    if length == size and _clone(source_fd, fd):
        return
    os.ftruncate(fd, length)
    offset = 0
    while offset < length:
        try:
            start = os.lseek(source_fd, offset, os.SEEK_DATA)
            offset = os.lseek(source_fd, start, os.SEEK_HOLE)
        except OSError as error:
            if error.errno == errno.ENXIO:
                return  # a hole up to the end
            raise
        if start < length:
            copy_range(source_fd, start, fd, start, min(offset, length) - start)


def _clone(source_fd: int, fd: int) -> bool:
    try:
        fcntl.ioctl(fd, _FICLONE, source_fd)
    except OSError:
        return False
    return True


def _buffer(length: int) -> memoryview:
    """Return room for a piece, to be used for all of them: a new one would be new pages."""
    return memoryview(bytearray(min(length, _PIECE)))
