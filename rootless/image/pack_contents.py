"""How the layers' tars lie in a pack: as they are, or compressed in chunks."""

import os
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from rootless.image.layers import PACK_PAGE, ChunkTableWriter, PackCodec, chunk_table
from rootless.image.store import write_all

CHUNK = 256 << 10
"""What is compressed at a time: what a read of a byte decodes."""


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
        self._threads = os.cpu_count() or 1
        self._pool = self._held.enter_context(ThreadPoolExecutor(self._threads))
        self._table = self._held.enter_context(ChunkTableWriter(table, data="", kind="pack"))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._held.close()

    def add(self, chunks: Iterable[bytes]) -> int:
        """Compress a tar; return its first address."""
        first = self._address = self._address + -self._address % PACK_PAGE
        waiting: deque[tuple[int, Future[bytes]]] = deque()
        for chunk in _recut(chunks):
            waiting.append((len(chunk), self._pool.submit(_compressed, chunk, self._level)))
            if len(waiting) > 2 * self._threads:
                self._take(*waiting.popleft())
        while waiting:
            self._take(*waiting.popleft())
        return first

    def finish(self) -> bytes:
        """Return the chunk table."""
        self._table.finish(self._address)
        return self._path.read_bytes()

    def _take(self, size: int, future: "Future[bytes]") -> None:
        stored = future.result()
        codec = chunk_table.RAW if len(stored) == size else chunk_table.ZSTD
        place = self._output.end
        self._table.add(self._address, size, place=place, stored=len(stored), codec=codec)
        self._output.append(stored)
        self._address += size


def _compressed(chunk: bytes, level: int) -> bytes:
    """Return a zstd frame with its checksum, or the chunk where that would not be smaller."""
    import zstandard  # noqa: PLC0415 - for packs alone

    stored = zstandard.ZstdCompressor(level=level, write_checksum=True).compress(chunk)
    return stored if len(stored) < len(chunk) else chunk


def _recut(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the same bytes in pieces of `CHUNK`; the last one may be shorter."""
    rest = b""
    for chunk in chunks:
        rest += chunk
        whole = len(rest) - len(rest) % CHUNK
        for at in range(0, whole, CHUNK):
            yield rest[at : at + CHUNK]
        rest = rest[whole:]
    if rest:
        yield rest
