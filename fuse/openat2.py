"""openat2(2), which Python lacks: open what lies below a directory and nowhere else."""

import ctypes
import os
from typing import ClassVar

_libc = ctypes.CDLL(None, use_errno=True)
_libc.syscall.restype = ctypes.c_long

_OPENAT2 = 437  # the same on every architecture
_NO_XDEV = 0x01
_NO_MAGICLINKS = 0x02
_NO_SYMLINKS = 0x04
_BENEATH = 0x08


class _How(ctypes.Structure):
    """`struct open_how` of linux/openat2.h."""

    _fields_: ClassVar = [
        ("flags", ctypes.c_uint64),
        ("mode", ctypes.c_uint64),
        ("resolve", ctypes.c_uint64),
    ]


def open_beneath(directory_fd: int, path: bytes, flags: int) -> int:
    """Open a path below a directory, through no link and no mount; O_CLOEXEC is added.

    A path that is a link itself can be opened with O_PATH and O_NOFOLLOW. Raises OSError: ELOOP for
    a link on the way, EXDEV for a mount, and what open(2) has.
    """
    how = _How(flags | os.O_CLOEXEC, 0, _NO_XDEV | _NO_MAGICLINKS | _NO_SYMLINKS | _BENEATH)
    fd = _libc.syscall(
        ctypes.c_long(_OPENAT2),
        ctypes.c_int(directory_fd),
        ctypes.c_char_p(path),
        ctypes.byref(how),
        ctypes.c_size_t(ctypes.sizeof(how)),
    )
    if fd < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), path)
    return int(fd)
