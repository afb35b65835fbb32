"""The order in which runs have asked for chunks: what the next one fetches first.

A file of 32-bit numbers of chunks, little-endian, each once, appended to as they are first asked
for. A file that a killed process has left half a number in, or that names chunks twice, is read as
far as it makes sense: it is a hint.
"""

import os
import struct
from collections.abc import Iterable, Iterator
from pathlib import Path

_NUMBER = struct.Struct("<I")


class Order:
    """The record of one layer.

    Args:
        path: The file; made where there is none.
        most: How many chunks the layer has.
    """

    def __init__(self, path: Path, most: int) -> None:
        self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        self._most = most
        self._known: dict[int, None] = {}
        self._read()

    def __iter__(self) -> Iterator[int]:
        return iter(tuple(self._known))

    def note(self, numbers: Iterable[int]) -> None:
        """Take note of what was asked for just now; raises OSError."""
        new = [number for number in numbers if number not in self._known]
        if new:
            self._known.update(dict.fromkeys(new))
            os.write(self._fd, b"".join(_NUMBER.pack(number) for number in new))

    def close(self) -> None:
        """Close the file; harmless when repeated."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def _read(self) -> None:
        size = min(os.fstat(self._fd).st_size, self._most * _NUMBER.size)
        data = os.pread(self._fd, size, 0)
        whole = len(data) - len(data) % _NUMBER.size
        for (number,) in _NUMBER.iter_unpack(data[:whole]):
            if number < self._most:
                self._known[number] = None
        if whole != os.fstat(self._fd).st_size:
            os.ftruncate(self._fd, whole)
