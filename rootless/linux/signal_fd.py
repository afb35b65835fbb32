"""Signals as records on a descriptor, each with who sent it: signalfd(2)."""

import ctypes
import os
import signal
import struct
from collections.abc import Iterable, Iterator
from contextlib import suppress

from rootless.linux.libc import check, function

SI_KERNEL = 0x80  # asm-generic/siginfo.h: a terminal's, by its keys, its size and its end

_RECORD_BYTES = 128
_SET_BYTES = 128
_signalfd = function("signalfd", ctypes.c_int, ctypes.c_char_p, ctypes.c_int)


def signalfd(numbers: Iterable[int]) -> int:
    """Return a descriptor that gives these signals, which must be blocked; raises OSError."""
    mask = sum(1 << (number - 1) for number in numbers).to_bytes(_SET_BYTES, "little")
    flags = os.O_CLOEXEC | os.O_NONBLOCK
    return check(_signalfd(-1, mask, flags))


def read_signals(fd: int) -> Iterator[tuple[signal.Signals, int]]:
    """Yield number and `si_code` of each signal that has come."""
    with suppress(BlockingIOError):
        data = os.read(fd, 16 * _RECORD_BYTES)
        for start in range(0, len(data), _RECORD_BYTES):
            number, _, code = struct.unpack_from("Iii", data, start)
            yield signal.Signals(number), code
