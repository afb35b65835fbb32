"""The chunk table of a layer that is no plain tar: which bytes are where, and how encoded.

A file in SQLite (chunk_table_schema.sql explains every column), written once. A layer whose path is
named like one (`is_chunk_table`) is read through it; every other layer is a tar.

The table is as trustworthy as who wrote it, which is this program; what it was made from may not
be. So a reader checks what could lead it astray: the order of the chunks, and their sizes.
"""

import errno
import os
from array import array
from bisect import bisect_right
from collections.abc import Sequence
from typing import Final, NamedTuple

from .closing import Closing
from .database import (
    IndexFormatError,
    create,
    open_immutable,
    open_memory,
    seal,
    translated_errors,
    translated_write_errors,
)

APPLICATION_ID: Final = 0x524C636B
VERSION: Final = 1
NAME: Final = "layer-chunks"
"""What a chunk table is called, or what its name ends in after a dot."""

RAW: Final = 0
ZLIB: Final = 1
GZIP: Final = 2
"""One member of gzip(1)'s format or several; what follows the chunk's bytes is of no concern."""
ZSTD: Final = 3
XZ: Final = 4
LZ4: Final = 5
LZO: Final = 6
DEFLATE: Final = 7
"""Deflate from the middle of a gzip member: a seek point. Has a window."""

CHUNK_MAX: Final = 64 << 20
"""No encoded or decoded chunk that is decoded here is larger."""

_BATCH = 4096
_INSERT = "INSERT INTO chunk VALUES (?, ?, ?, ?, ?, ?, ?)"
_CHUNK = "SELECT * FROM chunk WHERE number = ?"
_CHUNKS = "SELECT * FROM chunk ORDER BY number"
_BOUNDS = "SELECT offset, size FROM chunk ORDER BY number"

Path = str | os.PathLike[str]


class Chunk(NamedTuple):
    """One chunk of a layer; the columns of the table."""

    number: int
    offset: int
    size: int
    place: int
    stored: int
    codec: int
    digest: bytes


def is_chunk_table(path: Path) -> bool:
    """Return whether a layer's path is that of a chunk table, by its name."""
    name = os.path.basename(os.fspath(path))
    return name == NAME or name.endswith("." + NAME)


class ChunkTableWriter(Closing):
    """Writes a chunk table; a context manager.

    The caller owns the file's safety: a temporary name, and fsync and rename after `finish`.
    Leaving the context, or `close`, without `finish` leaves a file that no reader takes.

    Args:
        path: The file to write; what it held is lost.
        data: The file with the bytes, relative to the folder in which the table will lie.
        present: The file that says which chunks are there; empty where all are.
        kind: What the layer was, for people.
    """

    def __init__(self, path: Path, *, data: str, present: str = "", kind: str) -> None:
        self._path = path
        self._meta = (data, present, kind)
        self._database = create(path, "chunk_table_schema.sql")
        self._rows: list[Chunk] = []
        self._next = 0
        self._end = 0

    def add(
        self, offset: int, size: int, *, place: int, stored: int, codec: int, digest: bytes = b""
    ) -> int:
        """Take the next chunk by address and return its number; see `Chunk`.

        Raises:
            ValueError: It is empty, or begins before the end of the one before it.
            OSError: The file cannot be written.
        """
        if size <= 0 or stored < 0 or place < 0 or offset < self._end:
            raise ValueError(f"a chunk of {size} bytes at {offset}, after {self._end}")
        number = self._next
        self._rows.append(Chunk(number, offset, size, place, stored, codec, digest))
        self._next += 1
        self._end = offset + size
        if len(self._rows) >= _BATCH:
            with translated_write_errors(self._path):
                self._flush()
        return number

    def add_window(self, number: int, bits: int, data: bytes) -> None:
        """Note what a chunk of deflate in the middle of a stream may refer to.

        Args:
            number: Of the chunk.
            bits: How many low bits of its first byte belong to what is before it.
            data: The 32 KiB before it, or what there is, as a zlib stream.
        """
        with translated_write_errors(self._path):
            self._database.execute("INSERT INTO window VALUES (?, ?, ?)", (number, bits, data))

    def finish(self, size: int | None = None, *, data: str | None = None) -> int:
        """Complete the file and close it; return how many chunks there are.

        Args:
            size: Of the address space; None where it ends with the last chunk.
            data: The file with the bytes, where its name was not known before.

        Raises:
            OSError: The file cannot be written.
        """
        named, present, kind = self._meta
        with translated_write_errors(self._path):
            self._flush()
            size = self._end if size is None else size
            row = (named if data is None else data, present, size, kind)
            self._database.execute("INSERT INTO meta VALUES (?, ?, ?, ?)", row)
            seal(self._database, VERSION)
        return self._next

    def close(self) -> None:
        """Let go of the file, whatever state it is in; harmless when repeated."""
        self._database.close()

    def _flush(self) -> None:
        self._database.executemany(_INSERT, self._rows)
        self._rows.clear()


class ChunkTable(Closing):
    """Reads one chunk table; a context manager.

    Args:
        path: A file that `ChunkTableWriter` wrote, or that holds such a file and the bytes.
        held: The table's file, whole, out of a file that has the bytes too; it may be anybody's.

    Attributes:
        data: Path of the file with the bytes.
        present: Path of the file that says which chunks are there; empty where all are.
        size: Of the address space.
        kind: What the layer was, for people.

    Raises:
        IndexFormatError: The file is none of ours, of another version, or damaged.
        OSError: It cannot be opened.
    """

    def __init__(self, path: Path, held: bytes | None = None) -> None:
        self._path = os.fspath(path)
        self._database = (
            open_immutable(path, application_id=APPLICATION_ID, version=VERSION)
            if held is None
            else open_memory(held, path, application_id=APPLICATION_ID, version=VERSION)
        )
        self._starts: Sequence[int] | None = None
        self._ends: Sequence[int] = ()
        try:
            with translated_errors(path):
                row = self._database.execute("SELECT * FROM meta").fetchone()
        except BaseException:
            self.close()
            raise
        if held is not None:  # by somebody else, perhaps: it leads to no other file
            row = row and (self._path, "", *row[2:])
        if row is None or not isinstance(row[2], int):
            self.close()
            raise IndexFormatError(f"{self._path}: damaged: its chunks have no size")
        if not all(isinstance(each, str) and "\0" not in each for each in (row[0], row[1], row[3])):
            self.close()
            raise IndexFormatError(f"{self._path}: damaged: the file with its bytes has no name")
        folder = os.path.dirname(self._path)
        self.data = os.path.join(folder, row[0])
        self.present = os.path.join(folder, row[1]) if row[1] else ""
        self.size: int = row[2]
        self.kind: str = row[3]

    def close(self) -> None:
        """Close the file; harmless when repeated."""
        self._database.close()

    def __len__(self) -> int:
        return len(self._bounds())

    def numbers(self, offset: int, size: int) -> range:
        """Return the numbers of the chunks that a run of the address space lies in.

        Raises OSError EIO where there is no chunk for a part of it.
        """
        starts = self._bounds()
        if size <= 0:
            return range(0)
        first = bisect_right(starts, offset) - 1
        last = bisect_right(starts, offset + size - 1, max(first, 0)) - 1
        at = offset
        for number in range(first, last + 1):
            if number < 0 or starts[number] > at:
                break
            at = self._ends[number]
        if at < offset + size:
            raise OSError(errno.EIO, "the layer has no such bytes", self._path)
        return range(first, last + 1)

    def bounds(self, number: int) -> tuple[int, int]:
        """Return where a chunk begins and ends in the address space."""
        return self._bounds()[number], self._ends[number]

    def chunk(self, number: int) -> Chunk:
        """Return a chunk."""
        with translated_errors(self._path):
            row = self._database.execute(_CHUNK, (number,)).fetchone()
        return Chunk._make(row)

    def chunks(self) -> Sequence[Chunk]:
        """Return all chunks by address."""
        with translated_errors(self._path):
            return [Chunk._make(row) for row in self._database.execute(_CHUNKS)]

    def window(self, number: int) -> tuple[int, bytes]:
        """Return a chunk's window: bits and zlib stream, as `add_window` has taken them."""
        sql = "SELECT bits, data FROM window WHERE number = ?"
        with translated_errors(self._path):
            row: tuple[int, bytes] | None = self._database.execute(sql, (number,)).fetchone()
        if row is None:
            raise IndexFormatError(f"{self._path}: damaged: no window of chunk {number}")
        return row

    def _bounds(self) -> Sequence[int]:
        """Return where the chunks begin; read when it is first needed, and checked."""
        if self._starts is not None:
            return self._starts
        with translated_errors(self._path):
            rows: list[tuple[int, int]] = self._database.execute(_BOUNDS).fetchall()
        try:
            starts = array("q", [offset for offset, _ in rows])
            self._ends = array("q", [offset + size for offset, size in rows])
        except (TypeError, OverflowError) as error:  # SQLite takes any type in any column
            raise IndexFormatError(f"{self._path}: damaged: a chunk at no number") from error
        end = 0
        for start, after in zip(starts, self._ends, strict=True):
            if start < end or after <= start:
                raise IndexFormatError(f"{self._path}: damaged: a chunk at {start}, after {end}")
            end = after
        self._starts = starts
        return starts
