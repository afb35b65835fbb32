"""How the layers' tars lie in a pack: as they are, or compressed in chunks."""

import os
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Protocol, Self

from rootless.image.coded_chunks import coded_chunks, threads
from rootless.image.layers import PACK_PAGE, ChunkTableWriter, PackCodec
from rootless.image.store import write_all


class Output:
    """A file that grows at its end.

    Args:
        fd: The file; stays the caller's.
        end: Where to begin.

    Attributes:
        end: The same, by now.
    """

    def __init__(self, fd: int, end: int) -> None:
        self._fd = fd
        self.end = end

    def align(self) -> int:
        """Go on at a page's beginning; return where that is."""
        self.end += -self.end % PACK_PAGE
        return self.end

    def append(self, data: bytes) -> None:
        """Write at the end."""
        os.lseek(self._fd, self.end, os.SEEK_SET)
        write_all(self._fd, data)
        self.end += len(data)


class Contents(Protocol):
    """Takes tars, the lowest layer first."""

    codec: PackCodec

    def add(self, chunks: Iterable[bytes]) -> int:
        """Take a tar; return where its bytes begin, as the tree's offsets count."""

    def finish(self) -> bytes:
        """Complete it; return the chunk table, empty where none is needed."""


class PlainContents:
    """The tars one after the other, each at a page's beginning."""

    codec = PackCodec.RAW

    def __init__(self, output: Output) -> None:
        self._output = output

    def add(self, chunks: Iterable[bytes]) -> int:
        """Copy a tar; return where it begins in the file."""
        place = self._output.align()
        for chunk in chunks:
            self._output.append(chunk)
        return place

    def finish(self) -> bytes:
        """Return nothing."""
        return b""


class CodedContents:
    """The tars as one address space, cut into chunks that are compressed by themselves.

    Use it as a context manager: it has threads. What they make does not depend on their number.

    Args:
        output: The pack.
        level: zstd's.
        table: Where the chunk table is made.
    """

    codec = PackCodec.CHUNKED

    def __init__(self, output: Output, level: int, table: Path) -> None:
        self._output = output
        self._level = level
        self._path = table
        self._address = 0
        self._held = ExitStack()
        self._pool = self._held.enter_context(ThreadPoolExecutor(threads()))
        self._table = self._held.enter_context(ChunkTableWriter(table, data="", kind="pack"))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._held.close()

    def add(self, chunks: Iterable[bytes]) -> int:
        """Compress a tar; return its first address."""
        first = self._address = self._address + -self._address % PACK_PAGE
        for size, codec, stored in coded_chunks(self._pool, chunks, self._level):
            place = self._output.end
            self._table.add(self._address, size, place=place, stored=len(stored), codec=codec)
            self._output.append(stored)
            self._address += size
        return first

    def finish(self) -> bytes:
        """Return the chunk table."""
        self._table.finish(self._address)
        return self._path.read_bytes()
