"""C functions without ctypes."""

import errno
import os
import struct

import pytest

from rootless.linux.raw import call, packed


def test_results_and_errors() -> None:
    """A function's result comes back, and -1 as the error that errno names."""
    assert call("getpid") == os.getpid()
    assert call("getsid", 0) == os.getsid(0)
    with pytest.raises(OSError, match="setns") as caught:
        call("setns", 999, 0)
    assert caught.value.errno == errno.EBADF


def test_pointers() -> None:
    """Bytes and structures are passed by address, and filled where the function fills them."""
    buffer = bytes(64)
    name = b"HOME\0"
    assert call("strlen", b"four\0five") == 4
    vector = packed(((name,), struct.pack("P", len(name)), (buffer,), struct.pack("P", 8)))
    read_fd, write_fd = os.pipe()
    assert call("writev", write_fd, vector, 2) == len(name) + 8
    assert os.read(read_fd, 64) == name + bytes(8)
    for fd in (read_fd, write_fd):
        os.close(fd)


def test_numbers_are_long() -> None:
    """A number above 32 bits arrives whole; None is a null pointer."""
    fd = os.memfd_create("test")
    assert call("ftruncate", fd, 1 << 40) == 0
    assert os.fstat(fd).st_size == 1 << 40
    assert call("time", None) > 0
    os.close(fd)
