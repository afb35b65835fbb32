"""Copying between files, in the kernel where it can: copy_file_range(2), else read and write."""

import errno
import os

_CHUNK = 1 << 30
_PIECE = 1 << 20
_NO_FAST_COPY = (errno.EXDEV, errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP, errno.EPERM)


def copy_range(source_fd: int, source: int, fd: int, target: int, length: int) -> None:
    """Copy *length* bytes from offset *source* of one file to offset *target* of another.

    Raises OSError; EIO where the source ends early.
    """
    is_fast = True
    while length > 0:
        try:
            done = _copy_some(source_fd, source, fd, target, length, is_fast=is_fast)
        except OSError as error:
            if not is_fast or error.errno not in _NO_FAST_COPY:
                raise
            is_fast = False
            continue
        if not done:
            raise OSError(errno.EIO, "the source is shorter than it was")
        source, target, length = source + done, target + done, length - done


def _copy_some(
    source_fd: int, source: int, fd: int, target: int, length: int, *, is_fast: bool
) -> int:
    if is_fast:
        return os.copy_file_range(source_fd, fd, min(length, _CHUNK), source, target)
    return os.pwrite(fd, os.pread(source_fd, min(length, _PIECE), source), target)
