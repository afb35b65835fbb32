"""A layer that is not all there yet: a fetcher, another process, brings it chunk by chunk.

The fetcher writes a chunk's contents first, and then the chunk's mark. Marks are never taken back,
so that one that was seen is not looked for again.
"""

import errno
import os
from collections.abc import Iterator, Sequence

from .chunk_table import ChunkTable
from .copy_range import copy_range
from .layer_bytes import Absent, OnAbsent, OnFirst, Run
from .splice import Piece

_UNSEEN = b"\0"


class LazyLayer:
    """Reads one layer; the files are open from the beginning.

    Args:
        table: Its chunk table; closed with this object.
        layer: Its number in the chain.
        on_absent: Called for what is wanted and absent; without it that is an error at once.
        on_first: Called for what is wanted for the first time and is there.

    Raises:
        OSError: A file cannot be opened.
    """

    def __init__(
        self,
        table: ChunkTable,
        layer: int,
        on_absent: OnAbsent | None = None,
        on_first: OnFirst | None = None,
    ) -> None:
        self._table = table
        self._layer = layer
        self._on_absent = on_absent
        self._on_first = on_first
        self._seen: bytearray | None = None  # a byte for each chunk: 1 where it was there and used
        self._data_fd = self._present_fd = -1
        try:
            self._data_fd = os.open(table.data, os.O_RDONLY | os.O_CLOEXEC)
            self._present_fd = os.open(table.present, os.O_RDONLY | os.O_CLOEXEC)
        except BaseException:
            self._close_fds()
            raise

    def require(self, runs: Sequence[Run]) -> None:
        """Return when these are there, or raise what `OnAbsent` raises."""
        missing: list[Run] = []
        for offset, size in runs:
            missing += self._missing(self._table.numbers(offset, size))
        if not missing:
            return
        absent = Absent(self._layer, missing)
        if self._on_absent is None:
            raise absent
        self._on_absent(absent)

    def fill(self, target: memoryview, offset: int) -> None:
        """Read until a buffer is full."""
        self.require(((offset, len(target)),))
        done = 0
        while done < len(target):
            more = os.preadv(self._data_fd, [target[done:]], offset + done)
            if not more:
                raise OSError(errno.EIO, "a layer's data is shorter than it was")
            done += more

    def copy(self, offset: int, fd: int, target: int, length: int) -> None:
        """Copy a run to an offset of a file."""
        self.require(((offset, length),))
        copy_range(self._data_fd, offset, fd, target, length)

    def piece(self, offset: int, size: int) -> Piece | None:
        """Return where a run lies."""
        self.require(((offset, size),))
        return Piece(self._data_fd, offset, size)

    def raw(self, offset: int, size: int) -> bytes:
        """Return a run that is there; raises OSError where it is not, and asks nobody for it."""
        size = min(size, self._table.size - offset)
        if size <= 0:
            return b""
        numbers = self._table.numbers(offset, size)
        if self._marks(numbers).find(_UNSEEN) >= 0:
            raise OSError(errno.EIO, "not fetched yet")
        return os.pread(self._data_fd, size, offset)

    def note_use(self, offset: int, size: int) -> None:
        """Take note that a run is used; what of it is absent will be asked for by who reads it."""
        self._missing(self._table.numbers(offset, size))

    def close(self) -> None:
        """Close the files; harmless when repeated."""
        self._table.close()
        self._close_fds()

    def _missing(self, numbers: range) -> Sequence[Run]:
        """Return the absent ones of a run of chunks; what is there and new is told."""
        if self._seen is None:
            self._seen = bytearray(len(self._table))
        seen = self._seen
        if seen.find(_UNSEEN, numbers.start, numbers.stop) < 0:
            return ()
        marks = self._marks(numbers)
        new = []
        missing = []
        for number, mark in zip(numbers, marks, strict=True):
            if not mark:
                first, last = self._table.bounds(number)
                missing.append((first, last - first))
            elif not seen[number]:
                seen[number] = 1
                new.append(number)
        if self._on_first is not None:
            for offset, size in self._runs(new):
                self._on_first(self._layer, offset, size)
        return missing

    def _marks(self, numbers: range) -> bytes:
        """Return the marks of a run of chunks, 0 for one that is absent."""
        # Read and not mapped: a file that is shorter than it was would be a SIGBUS
        marks = os.pread(self._present_fd, len(numbers), numbers.start)
        return marks.ljust(len(numbers), b"\0")

    def _runs(self, numbers: Sequence[int]) -> Iterator[Run]:
        """Yield chunks as runs of the address space, neighbours in one."""
        start = end = -1
        for number in numbers:
            first, last = self._table.bounds(number)
            if first != end:
                if end > start:
                    yield start, end - start
                start = first
            end = last
        if end > start:
            yield start, end - start

    def _close_fds(self) -> None:
        for fd in (self._data_fd, self._present_fd):
            if fd >= 0:
                os.close(fd)
        self._data_fd = self._present_fd = -1
