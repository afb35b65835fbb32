"""A tar in chunks that are compressed by themselves: each can be read without the others."""

import os
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import NamedTuple

from rootless.image.layers import RAW, ZSTD

CHUNK = 256 << 10
"""What is compressed at a time: what a read of a byte decodes."""


class CodedChunk(NamedTuple):
    """One chunk.

    Attributes:
        size: Of its contents.
        codec: How it is stored.
        stored: Its bytes.
    """

    size: int
    codec: int
    stored: bytes


def coded_chunks(
    pool: ThreadPoolExecutor, chunks: Iterable[bytes], level: int
) -> Iterator[CodedChunk]:
    """Yield a tar's bytes in compressed chunks, in order.

    Args:
        pool: Compresses; what it makes does not depend on its threads.
        chunks: The tar.
        level: zstd's.
    """
    waiting: deque[tuple[int, Future[bytes]]] = deque()
    for chunk in _recut(chunks):
        waiting.append((len(chunk), pool.submit(_compressed, chunk, level)))
        if len(waiting) > 2 * threads():
            yield _taken(*waiting.popleft())
    while waiting:
        yield _taken(*waiting.popleft())


def threads() -> int:
    """Return how many threads compress."""
    return os.cpu_count() or 1


def _taken(size: int, future: "Future[bytes]") -> CodedChunk:
    stored = future.result()
    return CodedChunk(size, RAW if len(stored) == size else ZSTD, stored)


def _compressed(chunk: bytes, level: int) -> bytes:
    """Return a zstd frame with its checksum, or the chunk where that would not be smaller."""
    import zstandard  # noqa: PLC0415 - only who compresses pays for it

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
