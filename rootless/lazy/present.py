"""A map of marks: a file with a byte for each thing, 1 once it is there.

Shared by every process that has the layer open, the FUSE server among them: what is marked is
there. Marks are written with pwrite(2), which a mapping of a file on a local disk shows at once,
and which answers a full disk with an error where a store into the mapping would be SIGBUS.
"""

import mmap
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Self

_MARK = b"\x01"


class Marks:
    """An open map; a context manager.

    Args:
        path: The file, which has a byte for each thing.
    """

    def __init__(self, path: Path) -> None:
        self._fd = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        try:
            self._size = os.fstat(self._fd).st_size
            # mmap(2) takes no empty file
            self._map = mmap.mmap(self._fd, self._size, prot=mmap.PROT_READ) if self._size else b""
        except BaseException:
            os.close(self._fd)
            raise

    def __len__(self) -> int:
        return self._size

    def __getitem__(self, number: int) -> bool:
        return self._map[number] != 0

    def count(self) -> int:
        """Return how many are there."""
        return self._size - self._map[:].count(0)

    def is_full(self) -> bool:
        """Return whether everything is there."""
        return self._map.find(b"\x00") < 0

    def mark(self, numbers: Iterable[int]) -> None:
        """Mark what is there by now; raises OSError."""
        for number in numbers:
            os.pwrite(self._fd, _MARK, number)

    def clear(self) -> None:
        """Take all marks away."""
        self.restore(bytes(self._size))

    def snapshot(self) -> bytes:
        """Return the map as it is now."""
        return self._map[:]

    def restore(self, marks: bytes) -> None:
        """Put a map back that `snapshot` gave."""
        os.pwrite(self._fd, marks[: self._size], 0)

    def close(self) -> None:
        """Close the map; harmless when repeated."""
        if self._fd >= 0:
            if isinstance(self._map, mmap.mmap):
                self._map.close()
            os.close(self._fd)
            self._fd = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def make(path: Path, size: int, marked: Iterable[int] = ()) -> None:
    """Make a map, all of it written, so that no mark ever needs room on the disk."""
    marks = bytearray(size)
    for number in marked:
        marks[number] = 1
    path.write_bytes(marks)


def count(path: Path) -> tuple[int, int]:
    """Return how many are there, and of how many; raises OSError."""
    marks = path.read_bytes()
    return len(marks) - marks.count(0), len(marks)
