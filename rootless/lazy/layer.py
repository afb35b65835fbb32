"""One lazy layer, open in the fetcher: what is there of it, and how what comes is put away."""

import errno
import logging
import os
from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterable
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Self

from rootless.chunked.decode import decode
from rootless.chunked.toc import Chunk, Codec
from rootless.errors import IntegrityError
from rootless.image.layers import GZIP, RAW, ZSTD, ChunkTable
from rootless.image.store import LAZY_CHUNKS
from rootless.lazy import durable, source
from rootless.lazy.order import Order
from rootless.lazy.present import Marks
from rootless.lazy.ranges import BlobMap, Run

log = logging.getLogger(__name__)

_CODECS = {RAW: Codec.ZEROS, GZIP: Codec.GZIP, ZSTD: Codec.ZSTD}


class Layer:
    """An open layer; a context manager.

    What comes is written first and marked after that. Several processes may do so at once: they
    write the same bytes, as every chunk is checked against its digest.

    Args:
        folder: Its folder.

    Attributes:
        folder: The same.
        source: Which blob it is.
        blob_map: The parts of the blob.
        order: What runs have asked for, in their order.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        durable.settle(folder)
        with ExitStack() as opened:
            self.source = source.read(folder)
            with ChunkTable(folder / LAZY_CHUNKS) as table:
                self._chunks = table.chunks()
            self._starts = [chunk.offset for chunk in self._chunks]
            spans = [(chunk.place, chunk.stored) for chunk in self._chunks]
            self.blob_map = BlobMap(spans, self.source.blob.size)
            self._present = opened.enter_context(Marks(folder / durable.PRESENT))
            self._gaps = opened.enter_context(Marks(folder / durable.GAPS))
            self._check_counts()
            self.order = opened.enter_context(closing(Order(folder / "order", len(self._chunks))))
            self._data_fd = _opened(folder / durable.DATA, opened)
            self.blob_fd = _opened(folder / durable.BLOB, opened)
            self._opened = opened.pop_all()

    def close(self) -> None:
        """Close everything; harmless when repeated."""
        self._opened.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def is_there(self, owner: int) -> bool:
        """Return whether a part of the blob is there (`ranges.Part.owner`)."""
        return self._present[owner] if owner >= 0 else self._gaps[~owner]

    def is_whole(self) -> bool:
        """Return whether every byte of the blob is there."""
        return self._present.is_full() and self._gaps.is_full()

    def is_gone(self) -> bool:
        """Return whether the folder is another one by now, or none.

        Another process may have made an ordinary layer of it, or have removed the image.
        """
        try:
            there = (self.folder / durable.BLOB).stat()
        except FileNotFoundError:
            return True
        return not os.path.samestat(there, os.fstat(self.blob_fd))

    def numbers(self, offset: int, length: int) -> range:
        """Return the chunks that a run of the address space touches; between files there is none.

        Raises OSError where it touches no chunk at all.
        """
        first = max(bisect_right(self._starts, offset) - 1, 0)
        if (
            first < len(self._starts)
            and self._chunks[first].offset + self._chunks[first].size <= offset
        ):
            first += 1
        end = bisect_left(self._starts, offset + length)
        if first >= end:
            raise OSError(errno.EIO, "the layer has no such bytes", str(self.folder))
        return range(first, end)

    def absent(self, numbers: Iterable[int]) -> list[int]:
        """Return those chunks that are not there."""
        return [number for number in numbers if not self._present[number]]

    def missing_bytes(self) -> int:
        """Return how many bytes of the blob are still to come."""
        parts = self.blob_map.inside(Run(0, self.source.blob.size))
        return sum(part.end - part.start for part in parts if not self.is_there(part.owner))

    def take(self, run: Run, data: bytes) -> list[int]:
        """Put away what came of the blob; return the chunks whose digests are wrong.

        Raises OSError where it cannot be written.
        """
        _write(self.blob_fd, data, run.start)
        view = memoryview(data)
        bad = []
        for start, _, owner in self.blob_map.inside(run):
            if owner < 0:
                self._gaps.mark([~owner])
            elif not self._present[owner] and not self._put(owner, view[start - run.start :]):
                bad.append(owner)
        return bad

    def forget_gaps(self) -> None:
        """Take what lies between the chunks for missing: no digest of its own covers it."""
        self._gaps.clear()

    def keep(self) -> None:
        """Bring what is there to the disk; the caller is the only one to do so."""
        durable.keep(self.folder, (self._data_fd, self.blob_fd), (self._present, self._gaps))

    def describe(self, numbers: Collection[int]) -> str:
        """Return what a line of the log calls some chunks."""
        places = ", ".join(str(self._chunks[number].place) for number in sorted(numbers)[:3])
        return f"{self.source.blob.digest}, at byte {places}"

    def _put(self, number: int, stored: memoryview) -> bool:
        row = self._chunks[number]
        inner = self.source.inner.get(number, 0)
        codec = _CODECS[row.codec]
        chunk = Chunk(0, row.size, row.place, row.stored, inner, codec, row.digest)
        try:
            content = decode(chunk, stored[: row.stored])
        except IntegrityError as error:
            log.debug("%s", error)
            return False
        _write(self._data_fd, content, row.offset)
        self._present.mark([number])
        return True

    def _check_counts(self) -> None:
        if (len(self._present), len(self._gaps)) != (len(self._chunks), self.blob_map.gap_count):
            fix = "remove the folder, and pull the image again"
            raise IntegrityError("damaged lazy layer in the store", str(self.folder), fix)


def _opened(path: Path, opened: ExitStack) -> int:
    fd = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    opened.callback(os.close, fd)
    return fd


def _write(fd: int, data: bytes, offset: int) -> None:
    view = memoryview(data)
    while view:
        done = os.pwrite(fd, view, offset)
        view = view[done:]
        offset += done
