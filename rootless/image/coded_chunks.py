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
    pool: ThreadPoolExecutor, chunks: Iterable[bytes], level: int, *, is_stream: bool = False
) -> Iterator[CodedChunk]:
    """Yield a tar's bytes in compressed chunks, in order.

    Args:
        pool: Compresses; what it makes does not depend on its threads.
        chunks: The tar.
        level: zstd's.
        is_stream: All of it together is to be one zstd stream; else what does not shrink stays as
            it is.
    """
    waiting: deque[Future[CodedChunk]] = deque()
    for chunk in _recut(chunks):
        waiting.append(pool.submit(_coded, chunk, level, is_stream=is_stream))
        if len(waiting) > 2 * threads():
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()


def threads() -> int:
    """Return how many threads compress."""
    return os.cpu_count() or 1


def _coded(chunk: bytes, level: int, *, is_stream: bool) -> CodedChunk:
    """Return a zstd frame with its checksum, or the chunk where that would not be smaller."""
    import zstandard  # noqa: PLC0415 - only who compresses pays for it

    stored = zstandard.ZstdCompressor(level=level, write_checksum=True).compress(chunk)
    if is_stream or len(stored) < len(chunk):
        return CodedChunk(len(chunk), ZSTD, stored)
    return CodedChunk(len(chunk), RAW, chunk)


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
