"""The merged tree of an image whose layers lie in one file, and how it is brought there.

Such a file's tree is that of the layers, less the difference between them: every offset is one of
the file, and every object is of layer 0.
"""

import os
import sqlite3
from collections.abc import Sequence
from contextlib import closing

from .database import create, open_immutable, open_memory, seal, translated_errors
from .entry import TREE_VERSION
from .pack_file import HEAD_READ, Kind, PackFile, is_pack

APPLICATION_ID = 0x524C7472
"""Of a merged tree's file (tree_schema.sql)."""

# In the order of their keys, so that the same tree gives the same bytes.
_COPIED = {
    "dirent": "SELECT * FROM dirent ORDER BY parent, name",
    "listing": "SELECT * FROM listing ORDER BY place",
    "owner": "SELECT * FROM owner ORDER BY kind, id",
    "xattr": "SELECT * FROM xattr ORDER BY ino, name",
    "statistics": "SELECT * FROM statistics",
}
_INODES = "SELECT * FROM inode ORDER BY ino"
_EXTENTS = (
    "SELECT extent.*, inode.layer FROM extent JOIN inode USING (ino) ORDER BY ino, extent.offset"
)
_LAYER, _OFFSET = 8, 9


def shift_tree(
    tree: str | os.PathLike[str], out: str | os.PathLike[str], places: Sequence[int]
) -> None:
    """Write the tree of layers that lie one after the other in one file.

    Args:
        tree: The layers' merged tree.
        out: The file to write; what it held is lost.
        places: Where each layer begins in the one file, the lowest first.

    Raises:
        IndexFormatError: The tree is damaged, or of other layers.
        OSError: One cannot be read, or the other not written.
    """
    with (
        closing(
            open_immutable(tree, application_id=APPLICATION_ID, version=TREE_VERSION)
        ) as source,
        closing(create(out, "tree_schema.sql")) as target,
        translated_errors(out),
    ):
        for table, rows in _COPIED.items():
            _insert(target, table, source.execute(rows))
        _insert(target, "inode", (_moved(row, places) for row in source.execute(_INODES)))
        pieces = source.execute(_EXTENTS)
        shifted = ((ino, at, n, place + places[layer]) for ino, at, n, place, layer in pieces)
        _insert(target, "extent", shifted)
        seal(target, TREE_VERSION)


def open_tree(path: str | os.PathLike[str]) -> tuple[sqlite3.Connection, bool]:
    """Return a connection to a tree, and whether it came out of a pack: then it is in memory.

    Raises:
        IndexFormatError: The file is none of ours, of another version, or damaged.
        OSError: It cannot be opened.
    """
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        if is_pack(os.pread(fd, HEAD_READ, 0)):
            pack = PackFile(fd, path)
            data = pack.read(pack.require(Kind.TREE))
            database = open_memory(data, path, application_id=APPLICATION_ID, version=TREE_VERSION)
            return database, True
    finally:
        os.close(fd)
    return open_immutable(path, application_id=APPLICATION_ID, version=TREE_VERSION), False


def _moved(row: tuple[int, ...], places: Sequence[int]) -> tuple[int, ...]:
    layer = row[_LAYER]
    if layer < 0:
        return row
    return (*row[:_LAYER], 0, row[_OFFSET] + places[layer], *row[_OFFSET + 1 :])


def _insert(target: sqlite3.Connection, table: str, rows: object) -> None:
    columns = len(target.execute(f"SELECT * FROM {table} LIMIT 0").description)  # noqa: S608
    marks = ", ".join("?" * columns)
    target.executemany(f"INSERT INTO {table} VALUES ({marks})", rows)  # type: ignore[arg-type]  # noqa: S608
