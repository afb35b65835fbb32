"""The index of one layer: built while its tar streams past, read once by the merge.

A layer that is no tar has its members named by whoever knows them (`IndexWriter`).

A file beside the tar, in SQLite (index_schema.sql explains every column). It lists the members as
they come: what they mean together is the merge's business.
"""

import contextlib
import os
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from stat import S_ISREG
from typing import Final

from . import whiteout
from .closing import Closing
from .database import create, open_immutable, seal, translated_errors, translated_write_errors
from .entry import HARD_LINK, NO_XATTRS, Entry, Extent
from .tar_reader import TarReader

APPLICATION_ID: Final = 0x524C6978
VERSION: Final = 1

_BATCH = 4096
_INSERT = "INSERT INTO entry VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"

Path = str | os.PathLike[str]


@dataclass(frozen=True, slots=True)
class IndexStatistics:
    """What a layer holds.

    Attributes:
        entries: Members of the tar, whiteouts included.
        files: Regular files among them.
        bytes: Sum of their sizes.
    """

    entries: int
    files: int
    bytes: int


class IndexWriter(Closing):
    """Writes the index of a layer whose members somebody names; a context manager.

    The caller owns the file's safety: a temporary name, and fsync and rename after `finish`.
    Leaving the context, or `close`, without `finish` leaves a file that no reader takes.

    Args:
        path: The file to write; what it held is lost.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._database = create(path, "index_schema.sql")
        self._rows: list[Entry] = []
        self._entries = 0
        self._files = 0
        self._bytes = 0

    def add(
        self,
        entry: Entry,
        xattrs: Mapping[bytes, bytes] = NO_XATTRS,
        extents: Sequence[Extent] = (),
    ) -> None:
        """Take the next member, in the order of the layer.

        Args:
            entry: The member; its path is clean (`clean_path`). One that is named as a whiteout
                is noted as that.
            xattrs: Its extended attributes; its flags must say that it has some.
            extents: Of a sparse file its pieces; its flags must say so.

        Raises:
            ValueError: It is a whiteout of nothing.
            OSError: The file cannot be written.
        """
        self._entries += 1
        if whiteout.MARK in entry.path and self._is_whiteout(entry.path):
            return
        self._rows.append(entry)
        if S_ISREG(entry.mode) and not entry.flags & HARD_LINK:
            self._files += 1
            self._bytes += entry.size
        if not xattrs and not extents and len(self._rows) < _BATCH:
            return
        with translated_write_errors(self._path):
            rows = [(entry.number, *item) for item in xattrs.items()]
            self._database.executemany("INSERT INTO xattr VALUES (?, ?, ?)", rows)
            pieces = [(entry.number, *piece) for piece in extents]
            self._database.executemany("INSERT INTO extent VALUES (?, ?, ?, ?)", pieces)
            if len(self._rows) >= _BATCH:
                self._flush()

    def finish(self) -> IndexStatistics:
        """Complete the file and close it; raises OSError."""
        with translated_write_errors(self._path):
            self._flush()
            seal(self._database, VERSION)
        return IndexStatistics(self._entries, self._files, self._bytes)

    def close(self) -> None:
        """Let go of the file, whatever state it is in; harmless when repeated."""
        self._database.close()

    def _is_whiteout(self, path: bytes) -> bool:
        """Record a whiteout; returns whether the path is one, or is to be ignored."""
        if whiteout.is_ignored(path):
            return True
        parsed = whiteout.parse(path)
        if parsed is None:
            return False
        with translated_write_errors(self._path):
            self._database.execute("INSERT INTO whiteout VALUES (?, ?)", parsed)
        return True

    def _flush(self) -> None:
        self._database.executemany(_INSERT, self._rows)
        self._rows.clear()


class IndexBuilder(Closing):
    """Writes the index of the tar whose bytes it is fed; for its file see `IndexWriter`.

    Args:
        path: The file to write; what it held is lost.
    """

    def __init__(self, path: Path) -> None:
        self._writer = IndexWriter(path)
        self._reader = TarReader(self._writer.add)

    def feed(self, chunk: bytes | bytearray | memoryview) -> None:
        """Take the next bytes of the tar; raises TarFormatError."""
        self._reader.feed(chunk)

    def finish(self) -> IndexStatistics:
        """Complete the file and close it; raises TarFormatError where the tar is truncated."""
        self._reader.finish()
        return self._writer.finish()

    def close(self) -> None:
        """Let go of the file, whatever state it is in; harmless when repeated."""
        self._writer.close()


class IndexReader(Closing):
    """Reads one index; a context manager.

    Args:
        path: A file that `IndexBuilder` wrote.

    Raises:
        IndexFormatError: The file is none of ours, of another version, or damaged.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._database = open_immutable(path, application_id=APPLICATION_ID, version=VERSION)

    def close(self) -> None:
        """Let go of the file; harmless when repeated."""
        self._database.close()

    def entries(self) -> Iterator[Entry]:
        """Yield the entries in the order of the tar."""
        with self._query("SELECT * FROM entry ORDER BY number") as rows:
            yield from map(Entry._make, rows)

    def whiteouts(self) -> Iterator[whiteout.Whiteout]:
        """Yield the whiteouts."""
        with self._query("SELECT * FROM whiteout") as rows:
            for path, is_opaque in rows:
                yield whiteout.Whiteout(path, bool(is_opaque))

    def xattrs(self) -> Iterator[tuple[int, bytes, bytes]]:
        """Yield number of the entry, name, value of every extended attribute."""
        with self._query("SELECT * FROM xattr ORDER BY number, name") as rows:
            yield from rows

    def extents(self) -> Iterator[tuple[int, int, int, int]]:
        """Yield number of the entry, offset, length, offset in the tar of every extent."""
        with self._query("SELECT * FROM extent ORDER BY number, offset") as rows:
            yield from rows

    @contextlib.contextmanager
    def _query(self, sql: str) -> Iterator[sqlite3.Cursor]:
        with translated_errors(self._path):
            yield self._database.execute(sql)
