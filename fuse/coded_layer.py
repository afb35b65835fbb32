"""A layer whose bytes are compressed in chunks: decoded as they are read.

What was decoded last is kept, so that reading on, as everybody does, decodes nothing twice.
"""

import errno
import hashlib
import logging
import os
from collections import OrderedDict
from collections.abc import Iterator, Sequence

from .chunk_table import CHUNK_MAX, ChunkTable
from .decode import DamagedChunk, MissingLibrary, decode
from .layer_bytes import Run
from .splice import Piece

log = logging.getLogger(__name__)


class DecodedChunks:
    """The chunks that were decoded last, bounded by their bytes.

    Args:
        limit: So many bytes are kept, and the last chunk whatever its size.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._bytes = 0
        self._chunks: OrderedDict[tuple[int, int], bytes] = OrderedDict()

    def get(self, layer: int, number: int) -> bytes | None:
        """Return a chunk of a layer, None where it is not kept."""
        contents = self._chunks.get((layer, number))
        if contents is not None:
            self._chunks.move_to_end((layer, number))
        return contents

    def put(self, layer: int, number: int, contents: bytes) -> None:
        """Keep a chunk that is not kept."""
        self._chunks[layer, number] = contents
        self._bytes += len(contents)
        while self._bytes > self._limit and len(self._chunks) > 1:
            _, dropped = self._chunks.popitem(last=False)
            self._bytes -= len(dropped)


class CodedLayer:
    """Reads one layer; the files are open from the beginning.

    Args:
        table: Its chunk table; closed with this object.
        layer: Its number in the chain.
        kept: Keeps decoded chunks.
    """

    def __init__(self, table: ChunkTable, layer: int, kept: DecodedChunks) -> None:
        self._table = table
        self._layer = layer
        self._kept = kept
        self._damaged: set[int] = set()
        self._fd = os.open(table.data, os.O_RDONLY | os.O_CLOEXEC)

    def require(self, runs: Sequence[Run]) -> None:
        """Return: everything is there."""

    def fill(self, target: memoryview, offset: int) -> None:
        """Read until a buffer is full; raises OSError."""
        done = 0
        for piece in self._pieces(offset, len(target)):
            target[done : done + len(piece)] = piece
            done += len(piece)

    def piece(self, offset: int, size: int) -> Piece | None:
        """Return None: no run lies in a file as it is."""

    def raw(self, offset: int, size: int) -> bytes:
        """Return a run, shorter only at the end; raises OSError."""
        return b"".join(self._pieces(offset, min(size, self._table.size - offset)))

    def note_use(self, offset: int, size: int) -> None:
        """Take note of nothing."""

    def _pieces(self, offset: int, size: int) -> Iterator[memoryview]:
        """Yield a run of the address space in pieces; raises OSError."""
        end = offset + size
        for number in self._table.numbers(offset, size):
            first, last = self._table.bounds(number)
            contents = memoryview(self._contents(number))
            yield contents[max(offset - first, 0) : min(end, last) - first]

    def copy(self, offset: int, fd: int, target: int, length: int) -> None:
        """Copy a run of the address space to an offset of a file; raises OSError."""
        for piece in self._pieces(offset, length):
            done = 0
            while done < len(piece):
                done += os.pwrite(fd, piece[done:], target + done)
            target += done

    def close(self) -> None:
        """Close the files; harmless when repeated."""
        self._table.close()
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def _contents(self, number: int) -> bytes:
        contents = self._kept.get(self._layer, number)
        if contents is None:
            try:
                contents = self._decoded(number)
            except (DamagedChunk, MissingLibrary) as error:
                raise self._unreadable(number, error) from error
            self._kept.put(self._layer, number, contents)
        return contents

    def _decoded(self, number: int) -> bytes:
        chunk = self._table.chunk(number)
        if chunk.stored > CHUNK_MAX:
            raise DamagedChunk(f"{chunk.stored:,} bytes for one chunk")
        stored = os.pread(self._fd, chunk.stored, chunk.place)
        if len(stored) < chunk.stored:
            raise DamagedChunk("the file is shorter than it was")
        contents = decode(chunk, stored, lambda: self._table.window(number))
        if chunk.digest and hashlib.sha256(contents).digest() != chunk.digest:
            raise DamagedChunk("the contents have another digest")
        return contents

    def _unreadable(self, number: int, error: Exception) -> OSError:
        """Return what a reader is told; what is wrong is logged once for each chunk."""
        reason = error.strerror if isinstance(error, OSError) else str(error)
        text = f"chunk {number} of a compressed layer cannot be read: {reason}"
        if number not in self._damaged:
            self._damaged.add(number)
            log.error("%s: %r", text, self._table.data)
        return OSError(errno.EIO, text, self._table.data)
