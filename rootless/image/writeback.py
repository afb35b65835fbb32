"""Telling the kernel to begin to write a file back: sync_file_range(2), where there is one."""

import ctypes

from rootless.linux.libc import function

STEP = 8 << 20
_WRITE = 2  # SYNC_FILE_RANGE_WRITE: start, do not wait

_sync_file_range = function(
    "sync_file_range", ctypes.c_int, ctypes.c_int64, ctypes.c_int64, ctypes.c_uint
)


def begin(fd: int, offset: int, size: int) -> None:
    """Start writing a part of a file back, so that a later fsync(2) finds most of it done.

    A hint: file systems that cannot (ESPIPE, ENOSYS) are left to fsync, which also reports errors.
    """
    _sync_file_range(fd, offset, size, _WRITE)
