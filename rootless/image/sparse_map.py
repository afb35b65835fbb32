"""Where a file of the host has data and where holes, for a tar: GNU's sparse format 1.0.

A log of last log-ins with one high UID is some 300 GB of holes; written out it would fill the
store. A file with less than 1 MiB of holes is written as it is, which every reader understands.
"""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

from rootless.image.tar_members import BLOCK

_WORTHWHILE = 1 << 20
_MAX_EXTENTS = 20_000  # readers bound the map; a file in more pieces is written out


@dataclass(frozen=True, slots=True)
class SparseMap:
    """The pieces of a file that hold data: offset and length, in order."""

    extents: tuple[tuple[int, int], ...]
    size: int

    @classmethod
    def of(cls, pieces: Iterable[tuple[int, int]], size: int) -> Self:
        """Return the map; a file that ends in a hole says so with an empty piece, as GNU tar's."""
        extents = tuple(pieces)
        if not extents or sum(extents[-1]) < size:
            extents += ((size, 0),)
        return cls(extents, size)

    @property
    def stored(self) -> int:
        """How many bytes the pieces have together."""
        return sum(length for _, length in self.extents)

    def records(self, path: str) -> dict[str, str]:
        """Return the pax records that announce the map."""
        return {
            "GNU.sparse.major": "1",
            "GNU.sparse.minor": "0",
            "GNU.sparse.name": path,
            "GNU.sparse.realsize": str(self.size),
        }

    def blocks(self) -> bytes:
        """Return the map, which precedes the pieces."""
        numbers = [len(self.extents), *(number for piece in self.extents for number in piece)]
        text = "".join(f"{number}\n" for number in numbers).encode()
        return text + bytes(-len(text) % BLOCK)


def sparse_map(fd: int, status: os.stat_result) -> SparseMap | None:
    """Return the map of an open file, None where holes do not matter."""
    if status.st_size - status.st_blocks * 512 < _WORTHWHILE:
        return None
    extents: list[tuple[int, int]] = []
    position = 0
    while position < status.st_size and len(extents) < _MAX_EXTENTS:
        try:
            start = os.lseek(fd, position, os.SEEK_DATA)
        except OSError:  # ENXIO: a hole up to the end
            break
        if start >= status.st_size:  # the file has grown since
            break
        position = min(os.lseek(fd, start, os.SEEK_HOLE), status.st_size)
        extents.append((start, position - start))
    else:
        if position < status.st_size:
            return None
    return SparseMap.of(extents, status.st_size)
