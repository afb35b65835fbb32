"""errno becomes OSError."""

import ctypes
import errno

import pytest

from rootless.linux.libc import check, function, syscall


def test_failure_is_the_error_of_errno() -> None:
    """-1 raises the subclass that errno names, with the object concerned."""
    ctypes.set_errno(errno.ENOENT)
    with pytest.raises(FileNotFoundError) as caught:
        check(-1, "/x")
    assert (caught.value.errno, caught.value.filename) == (errno.ENOENT, "/x")
    assert check(0) == 0
    assert check(7) == 7


def test_real_function_and_real_system_call() -> None:
    """A C function fails with its errno, and so does a system call without one."""
    close = function("close", ctypes.c_int)
    with pytest.raises(OSError, match="Bad file descriptor"):
        check(close(-1))
    with pytest.raises(OSError, match="not implemented"):
        syscall(100_000)
