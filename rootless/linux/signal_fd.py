"""Signals as records on a descriptor, each with who sent it: signalfd(2)."""

import os
import sys

from rootless.linux.raw import call

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

SI_KERNEL = 0x80  # asm-generic/siginfo.h: a terminal's, by its keys, its size and its end

_RECORD_BYTES = 128
_SET_BYTES = 128
_NUMBER, _CODE = slice(0, 4), slice(8, 12)  # struct signalfd_siginfo


def signalfd(numbers: "Iterable[int]") -> int:
    """Return a descriptor that gives these signals, which must be blocked; raises OSError."""
    mask = sum(1 << (number - 1) for number in numbers).to_bytes(_SET_BYTES, "little")
    flags = os.O_CLOEXEC | os.O_NONBLOCK
    return call("signalfd", -1, mask, flags)


def read_signals(fd: int) -> "Iterator[tuple[int, int]]":
    """Yield number and `si_code` of each signal that has come."""
    try:
        data = os.read(fd, 16 * _RECORD_BYTES)
    except BlockingIOError:
        return
    for start in range(0, len(data), _RECORD_BYTES):
        record = data[start : start + _RECORD_BYTES]
        number = int.from_bytes(record[_NUMBER], sys.byteorder)
        yield number, int.from_bytes(record[_CODE], sys.byteorder, signed=True)
