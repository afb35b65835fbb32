"""renameat2(2), which Python lacks: exchange two names, or leave a whiteout behind."""

import ctypes
import os

NOREPLACE = 1
EXCHANGE = 2
WHITEOUT = 4

_libc = ctypes.CDLL(None, use_errno=True)
_libc.renameat2.argtypes = (
    ctypes.c_int,
    ctypes.c_char_p,
    ctypes.c_int,
    ctypes.c_char_p,
    ctypes.c_uint,
)


def renameat2(old_fd: int, old: bytes, new_fd: int, new: bytes, flags: int) -> None:
    """Rename; raises OSError, EINVAL where the file system lacks the flag."""
    if _libc.renameat2(old_fd, old, new_fd, new, flags) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), old)
