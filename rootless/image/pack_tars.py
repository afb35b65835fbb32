"""The layers' tars out of a pack, read from beginning to end: for a load, and for a check.

Each chunk of a compressed pack is decoded once. What does not decode is a fault of the pack, not of
a disk, as it is for who serves it.
"""

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

from rootless.image.byte_stream import Source
from rootless.image.layers import (
    ChunkTable,
    DamagedChunk,
    PackCodec,
    PackFile,
    PackKind,
    PackSection,
    decode_chunk,
)

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_CHUNK = 1 << 20


class PackedTars:
    """Reads tars out of an open pack.

    Args:
        pack: The pack.
        path: What it is called.
    """

    def __init__(self, pack: PackFile, path: str) -> None:
        self._pack = pack
        section = pack.find(PackKind.CHUNK_TABLE)
        self._table = None if section is None else ChunkTable(path, pack.read(section))

    def close(self) -> None:
        """Let go of the chunk table."""
        if self._table is not None:
            self._table.close()

    def chunks(self, layer: PackSection) -> Iterator[bytes]:
        """Yield a layer's tar; raises PackFormatError, OSError."""
        if layer.codec != PackCodec.CHUNKED:
            for at in range(layer.offset, layer.offset + layer.size, _CHUNK):
                size = min(_CHUNK, layer.offset + layer.size - at)
                yield os.pread(self._pack.fd, size, at)
            return
        if self._table is None:
            raise self._pack.fault("it has no chunk table")
        try:
            numbers = self._table.numbers(layer.offset, layer.size)
        except OSError as error:
            raise self._pack.fault(f"layer {layer.number} has no chunks") from error
        for number in numbers:
            first, last = self._table.bounds(number)
            data = self._decoded(self._table, number)
            start = max(layer.offset - first, 0)
            yield data[start : min(layer.offset + layer.size, last) - first]

    def _decoded(self, table: ChunkTable, number: int) -> bytes:
        chunk = table.chunk(number)
        if not 0 <= chunk.stored <= self._pack.size:
            raise self._pack.fault(f"chunk {number} is too large")
        try:
            return decode_chunk(chunk, os.pread(self._pack.fd, chunk.stored, chunk.place), _none)
        except DamagedChunk as error:
            raise self._pack.fault(f"chunk {number} is damaged: {error}") from error


class TarStream(Source):
    """A tar as a stream.

    Args:
        chunks: Its bytes.
    """

    def __init__(self, chunks: Iterator[bytes]) -> None:
        super().__init__()
        self._chunks = chunks
        self._rest = memoryview(b"")

    def readinto(self, buffer: "WriteableBuffer") -> int:
        """Read on; 0 at the end."""
        view = memoryview(buffer)
        while not self._rest:
            data = next(self._chunks, None)
            if data is None:
                return 0
            self._rest = memoryview(data)
        part = self._rest[: len(view)]
        view[: len(part)] = part
        self._rest = self._rest[len(part) :]
        return len(part)


def _none() -> tuple[int, bytes]:
    raise DamagedChunk("a seek point in a pack")
