"""A merged tree, read on demand: opened in a millisecond whatever its size, asked by directory.

A SQLite file (tree_schema.sql explains every column), never loaded whole, never written to. It may
lie in a read-only folder or on a network file system. A pack's tree (`pack_file`) is the exception:
it is read whole, into memory.
"""

import os
import sqlite3
import stat
from collections.abc import Iterable, Iterator
from typing import Any, Final, Self

from .closing import Closing
from .database import IndexFormatError, translated_errors
from .entry import Extent, Inode, TreeStatistics
from .listing import Chunk, chunk_at, place
from .lookup_ahead import LookupAhead
from .packed_tree import open_tree

__all__ = ["ROOT_INO", "Inode", "Tree", "TreeStatistics"]

ROOT_INO: Final = 1

# One read transaction for as long as the tree is open: outside of one, every query first reads the
# file's change counter, though nothing changes it. With a cache of 16 MB, a random lookup among
# 100,000 entries takes 7.5 us instead of 10.6; so it does with mmap, but there an error of
# the disk or the network is a SIGBUS, which ends the server.
_READING = "PRAGMA cache_size = -16000; BEGIN;"
_SYMLINKS_MAX = 40  # as the kernel has it
_CHILDREN = """
SELECT name, inode.* FROM dirent JOIN inode USING (ino) WHERE parent = ? ORDER BY name LIMIT ?
"""
_DIRENTS = "SELECT name FROM dirent WHERE parent = ? ORDER BY name"
_CHUNK = "SELECT * FROM listing WHERE place <= ? ORDER BY place DESC LIMIT 1"
_CHUNKS_BEHIND = "SELECT * FROM listing WHERE place > ? ORDER BY place"
_RANGE = "SELECT * FROM inode WHERE ino BETWEEN ? AND ?"
_OWNERS = "SELECT id FROM owner WHERE kind = ? LIMIT 4097"
_LOOKUP = "SELECT inode.* FROM dirent JOIN inode USING (ino) WHERE parent = ? AND name = ?"
_INODE = "SELECT * FROM inode WHERE ino = ?"
_XATTRS = "SELECT name, value FROM xattr WHERE ino = ? ORDER BY name"
_HAS_XATTR = "SELECT 1 FROM xattr WHERE name = ? LIMIT 1"
_XATTR_OWNERS = "SELECT DISTINCT ino FROM xattr"
_XATTR_OWNERS_KEPT = 10_000
_NAMES = "SELECT parent, name FROM dirent WHERE ino = ? ORDER BY parent, name"
_NAME_IN = "SELECT name FROM dirent WHERE parent = ? AND ino = ? LIMIT 1"
_FOUND_TWICE = """
SELECT ino FROM dirent JOIN inode USING (ino) WHERE mode & 0xf000 = 0x4000
GROUP BY ino HAVING count(*) > 1 OR ino = 1 LIMIT 1
"""
_EXTENTS = "SELECT offset, length, tar_offset FROM extent WHERE ino = ? ORDER BY offset"


class Tree(Closing):
    """One merged tree; a context manager. Made by `Tree.open`.

    Every method raises IndexFormatError where the file turns out to be damaged.

    Attributes:
        is_packed: Whether it came out of a pack, which may be anybody's.
        has_xattrs: Whether any object of the tree has extended attributes.
        statistics: How much there is.
    """

    def __init__(self, database: sqlite3.Connection, path: str, *, is_packed: bool = False) -> None:
        self._database = database
        self.is_packed = is_packed
        self._path = path
        with translated_errors(path):
            database.executescript(_READING)
            row = database.execute("SELECT inodes, bytes, xattrs FROM statistics").fetchone()
        self.statistics = TreeStatistics(row[0], row[1])
        self._lookups = LookupAhead(self._lookup, self.children)
        self.has_xattrs = bool(row[2])
        self._with_xattrs = self._owners_of_xattrs(row[2])

    @classmethod
    def open(cls, path: str | os.PathLike[str]) -> Self:
        """Return the tree in a file.

        Raises:
            IndexFormatError: The file is none of ours, of another version, or damaged.
            OSError: It cannot be opened.
        """
        database, is_packed = open_tree(path)
        try:
            return cls(database, os.fspath(path), is_packed=is_packed)
        except BaseException:
            database.close()
            raise

    def check_directories(self) -> None:
        """Raise IndexFormatError where a directory has two names, as one in itself has.

        No tree that was merged has such; one that somebody else wrote may, and a walk never ends.
        """
        with translated_errors(self._path):
            found = self._database.execute(_FOUND_TWICE).fetchone()
        if found is not None:
            raise IndexFormatError(f"{self._path}: damaged: directory {found[0]} is found twice")

    def close(self) -> None:
        """Let go of the file; harmless when repeated."""
        self._database.close()

    def lookup(self, parent: int, name: bytes) -> Inode | None:
        """Return the object of this name in a directory, None where there is none."""
        return self._lookups.lookup(parent, name)

    def _lookup(self, parent: int, name: bytes) -> Inode | None:
        row = self._one(_LOOKUP, (parent, name))
        return None if row is None else Inode._make(row)

    def inode(self, ino: int) -> Inode:
        """Return the object of this number; raises KeyError where there is none."""
        row = self._one(_INODE, (ino,))
        if row is None:
            raise KeyError(ino)
        return Inode._make(row)

    def children(self, ino: int, number: int = -1) -> list[tuple[bytes, Inode]]:
        """Return a directory's entries, sorted by name, not more than a number of them if any.

        None for what is no directory.
        """
        make = Inode._make
        return [(row[0], make(row[1:])) for row in self._all(_CHILDREN, ino, number)]

    def dirents(self, ino: int) -> list[bytes]:
        """Return the names in a directory, sorted."""
        return [name for (name,) in self._all(_DIRENTS, ino)]

    def chunk(self, directory: int, position: int) -> Chunk:
        """Return the part of a directory's listing that begins at a position or before it.

        Raises KeyError where the number is no directory's.
        """
        row = self._one(_CHUNK, (place(directory, position),))
        found = None if row is None else chunk_at(*row)
        if found is None or found.directory != directory:
            raise KeyError(directory)
        return found

    def chunks_behind(self, key: int) -> Iterator[Chunk]:
        """Yield the chunks of all listings that stand behind a place, in their order."""
        with translated_errors(self._path):
            for row in self._database.execute(_CHUNKS_BEHIND, (key,)):
                yield chunk_at(*row)

    def inodes(self, first: int, last: int) -> list[Inode]:
        """Return the objects of these numbers."""
        with translated_errors(self._path):
            rows = self._database.execute(_RANGE, (first, last)).fetchall()
        return [Inode._make(row) for row in rows]

    def owners(self) -> tuple[list[int], list[int]]:
        """Return all UIDs and all GIDs that occur; of very many only some, more than 4096."""
        return [id_ for (id_,) in self._all(_OWNERS, 0)], [id_ for (id_,) in self._all(_OWNERS, 1)]

    def names(self, ino: int) -> list[tuple[int, bytes]]:
        """Return every name of an object, as (directory, name).

        Reads all entries of the tree (5 ms for 60,000): meant for hard links on copy-up.
        """
        return self._all(_NAMES, ino)

    def name_in(self, directory: int, ino: int) -> bytes | None:
        """Return a name that an object has in a directory, None where it has none."""
        row = self._one(_NAME_IN, (directory, ino))
        return None if row is None else row[0]

    def xattrs(self, ino: int) -> dict[bytes, bytes]:
        """Return the extended attributes of an object."""
        if self._with_xattrs is not None and ino not in self._with_xattrs:
            return {}
        return dict(self._all(_XATTRS, ino)) if self.has_xattrs else {}

    def has_any_xattr(self, names: Iterable[bytes]) -> bool:
        """Return whether any object has an extended attribute of one of these names."""
        return self.has_xattrs and any(self._one(_HAS_XATTR, (name,)) for name in names)

    def extents(self, ino: int) -> tuple[Extent, ...]:
        """Return where the pieces of a sparse file lie; all else of it reads as zeros."""
        return tuple(self._all(_EXTENTS, ino))

    def resolve(self, path: bytes) -> Inode | None:
        """Return the object at a path, links followed as seen from inside the root.

        None where there is none, also at the end of a loop of links.
        """
        trail = [self.inode(ROOT_INO)]
        rest, followed = _parts(path), 0
        while rest:
            name = rest.pop()
            if name == b"..":
                trail = trail[:-1] or trail  # above the root is the root
                continue
            node = self.lookup(trail[-1].ino, name)
            if node is None:
                return None
            if stat.S_ISLNK(node.mode):
                followed += 1
                if followed > _SYMLINKS_MAX:
                    return None
                if node.target[:1] == b"/":
                    del trail[1:]
                rest += _parts(node.target)
                continue
            trail.append(node)
        return trail[-1]

    def walk(self) -> Iterator[tuple[bytes, Inode]]:
        """Yield path and object of the whole tree, each directory before its contents, by name."""
        stack = [(b"", self.inode(ROOT_INO))]
        while stack:
            path, node = stack.pop()
            yield path, node
            if stat.S_ISDIR(node.mode):
                start = path + b"/" if path else b""
                stack += [
                    (start + name, child) for name, child in reversed(self.children(node.ino))
                ]

    def _owners_of_xattrs(self, rows: int) -> frozenset[int] | None:
        """Return the few objects that have any, None where they are many.

        Kernel overlayfs asks for several attributes of each object that it meets. Most images have
        some on a handful of programs, and the others are answered without a query.
        """
        if rows > _XATTR_OWNERS_KEPT:
            return None
        with translated_errors(self._path):
            return frozenset(row[0] for row in self._database.execute(_XATTR_OWNERS))

    def _one(self, sql: str, values: tuple[int | bytes, ...]) -> Any:
        with translated_errors(self._path):
            return self._database.execute(sql, values).fetchone()

    def _all(self, sql: str, *values: int) -> list[Any]:
        with translated_errors(self._path):
            return self._database.execute(sql, values).fetchall()


def _parts(path: bytes) -> list[bytes]:
    """Return the parts of a path, the first one last."""
    return [part for part in reversed(path.split(b"/")) if part not in (b"", b".")]
