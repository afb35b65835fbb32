"""The C library: one loader, and the one place where errno becomes OSError."""

import ctypes
import os
from typing import Any

_libc = ctypes.CDLL(None, use_errno=True)


def function(name: str, *argument_types: Any) -> Any:
    """Return the C function `name` with its argument types set and an int result."""
    found = getattr(_libc, name)
    found.argtypes = argument_types
    found.restype = ctypes.c_int
    return found


_syscall = _libc.syscall
_syscall.restype = ctypes.c_long


def check(result: int, on: str | bytes | None = None) -> int:
    """Return `result`, or raise the OSError that errno names where it is -1."""
    if result == -1:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), on)
    return result


def syscall(number: int, *arguments: Any, on: str | bytes | None = None) -> int:
    """Make a system call that the C library has no function for; raises OSError."""
    return check(_syscall(ctypes.c_long(number), *arguments), on)
