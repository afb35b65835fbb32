"""openat2(2): open a path that cannot lead out of a directory, whatever links it holds."""

import ctypes
import os
from typing import ClassVar

from rootless.linux.libc import syscall

RESOLVE_NO_MAGICLINKS = 0x02
RESOLVE_NO_SYMLINKS = 0x04
RESOLVE_BENEATH = 0x08
RESOLVE_IN_ROOT = 0x10

_SYS_OPENAT2 = 437


class _OpenHow(ctypes.Structure):
    """`struct open_how` of linux/openat2.h."""

    _fields_: ClassVar = [
        ("flags", ctypes.c_uint64),
        ("mode", ctypes.c_uint64),
        ("resolve", ctypes.c_uint64),
    ]


def openat2(dir_fd: int, path: str, flags: int, resolve: int, mode: int = 0) -> int:
    """Open `path` below `dir_fd`; O_CLOEXEC is added. Raises OSError, EAGAIN retried."""
    how = _OpenHow(flags | os.O_CLOEXEC, mode, resolve)
    while True:
        try:
            return syscall(
                _SYS_OPENAT2,
                ctypes.c_int(dir_fd),
                ctypes.c_char_p(os.fsencode(path)),
                ctypes.byref(how),
                ctypes.c_size_t(ctypes.sizeof(how)),
                on=path,
            )
        except BlockingIOError:  # a rename elsewhere raced with the walk
            continue


def open_in_root(root_fd: int, path: str, flags: int) -> int:
    """Open `path` as a process with its root at `root_fd` would; links never lead out."""
    return openat2(root_fd, path, flags, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS)
