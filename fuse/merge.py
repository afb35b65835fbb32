"""The merged tree of a chain of layers, written once: indexes in, one SQLite file out.

What the layers mean together is decided in `replay`; here is the reading and writing around it.
Extended attributes and extents, which can be large, are copied from file to file and not held.
"""

import os
import stat
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, closing
from itertools import groupby
from operator import itemgetter
from sqlite3 import Connection

from . import listing, wire
from .database import create, seal, translated_write_errors
from .entry import (
    HARD_LINK,
    HAS_XATTRS,
    IMPLIED_LAYER,
    SPARSE,
    TREE_VERSION,
    Entry,
    Inode,
    TreeStatistics,
)
from .index import IndexReader
from .replay import MergedTree, MergeError, Node, number_inodes
from .whiteout import Whiteout
from .xattrs import OPAQUE

__all__ = ["MergeError", "TreeStatistics", "merge"]

_INSERT_INODE = "INSERT INTO inode VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"


def merge(
    indexes: Sequence[str | os.PathLike[str]],
    out: str | os.PathLike[str],
    *,
    prefix: bytes = b"",
    keeps_whiteouts: bool = False,
) -> TreeStatistics:
    """Write the merged tree of these layers.

    The caller owns the file's safety: a temporary name, and fsync and rename afterwards.

    Args:
        indexes: The layers' indexes, the lowest first.
        out: The file to write; what it held is lost.
        prefix: Take only what lies below this path, which becomes the root.
        keeps_whiteouts: The tree is for a `StackedLower`: whiteouts and opaque directories stay in
            it, in the form that kernel overlayfs has in a layer with `userxattr`.

    Raises:
        MergeError: The layers do not fit together.
        IndexFormatError: An index is damaged or of another version.
    """
    tree = MergedTree(keeps_whiteouts=keeps_whiteouts)
    with ExitStack() as stack:
        readers = [stack.enter_context(IndexReader(path)) for path in indexes]
        for reader in readers:
            if prefix:
                tree.apply(
                    _whiteouts_below(prefix, reader.whiteouts()),
                    _entries_below(prefix, reader.entries()),
                )
            else:
                tree.apply(reader.whiteouts(), reader.entries())
        if prefix and not tree.root.children and not tree.root.entry.number:
            raise MergeError(f"nothing lies below {os.fsdecode(prefix)!r}")
        database = stack.enter_context(closing(create(out, "tree_schema.sql")))
        with translated_write_errors(out):
            return _write(database, tree.root, readers)


def _write(database: Connection, root: Node, readers: Sequence[IndexReader]) -> TreeStatistics:
    nodes, dirents = number_inodes(root)
    database.executemany("INSERT INTO dirent VALUES (?, ?, ?)", dirents)
    inodes = [_inode(node) for node in nodes]
    database.executemany(_INSERT_INODE, inodes)
    database.executemany("INSERT INTO listing VALUES (?, ?, ?, ?)", _listings(inodes, dirents))
    owners = {(0, inode.uid) for inode in inodes} | {(1, inode.gid) for inode in inodes}
    database.executemany("INSERT INTO owner VALUES (?, ?)", sorted(owners))
    xattrs = 0
    with_xattrs, sparse = _numbers(nodes, HAS_XATTRS), _numbers(nodes, SPARSE)
    for layer, reader in enumerate(readers):
        if wanted := with_xattrs.get(layer):
            rows = ((wanted[row[0]], *row[1:]) for row in reader.xattrs() if row[0] in wanted)
            xattrs += database.executemany("INSERT INTO xattr VALUES (?, ?, ?)", rows).rowcount
        if wanted := sparse.get(layer):
            pieces = ((wanted[row[0]], *row[1:]) for row in reader.extents() if row[0] in wanted)
            database.executemany("INSERT INTO extent VALUES (?, ?, ?, ?)", pieces)
    opaque = [(node.ino, OPAQUE, b"y") for node in nodes if node.is_opaque]
    database.executemany("INSERT INTO xattr VALUES (?, ?, ?)", opaque)
    xattrs += len(opaque)
    size = sum(node.entry.size for node in nodes if stat.S_ISREG(node.entry.mode))
    database.execute("INSERT INTO statistics VALUES (?, ?, ?)", (len(nodes), size, xattrs))
    seal(database, TREE_VERSION)
    return TreeStatistics(len(nodes), size)


def _listings(
    inodes: Sequence[Inode], dirents: Sequence[tuple[int, bytes, int]]
) -> Iterator[tuple[int, int, bool, bytes]]:
    """Yield all directories as the kernel is given them, in the order of their numbers.

    Args:
        inodes: All objects, by number, from 1.
        dirents: All names, by directory.
    """
    shown = [wire.lower_attributes(each, each.uid, each.gid, each.nlink) for each in inodes]
    parents = {1: 1}
    rows = groupby(dirents, itemgetter(0))
    parent, names = next(rows, (0, iter(())))
    for directory in inodes:
        if not stat.S_ISDIR(directory.mode):
            continue
        children: list[listing.Named] = []
        if parent == directory.ino:
            for _, name, ino in names:
                children.append((name, shown[ino - 1]))
                if stat.S_ISDIR(inodes[ino - 1].mode):
                    parents[ino] = directory.ino
            parent, names = next(rows, (0, iter(())))
        for chunk in listing.pack(directory.ino, parents.pop(directory.ino), children):
            yield chunk.place, chunk.number, chunk.is_last, chunk.entries


def _inode(node: Node) -> Inode:
    entry = node.entry
    return Inode(
        node.ino,
        entry.mode,
        node.nlink,
        entry.uid,
        entry.gid,
        entry.size,
        entry.mtime_ns,
        entry.rdev,
        IMPLIED_LAYER if node.is_implied else node.layer,
        entry.offset,
        entry.target,
        bool(entry.flags & SPARSE),
    )


def _numbers(nodes: Iterable[Node], flag: int) -> dict[int, dict[int, int]]:
    """Return for each layer the inode numbers of its entries with this flag, by entry number."""
    found: dict[int, dict[int, int]] = {}
    for node in nodes:
        if node.entry.flags & flag:
            found.setdefault(node.layer, {})[node.entry.number] = node.ino
    return found


def _entries_below(prefix: bytes, entries: Iterable[Entry]) -> Iterator[Entry]:
    for entry in entries:
        path = _relative(prefix, entry.path)
        if path is None:
            continue
        if entry.flags & HARD_LINK:
            target = _relative(prefix, entry.target)
            if target is None:
                raise MergeError("a hard link to something outside of the root", entry)
            yield entry._replace(path=path, target=target)
        else:
            yield entry._replace(path=path)


def _whiteouts_below(prefix: bytes, whiteouts: Iterable[Whiteout]) -> Iterator[Whiteout]:
    for whiteout in whiteouts:
        path = _relative(prefix, whiteout.path)
        if path is not None and (path or whiteout.is_opaque):
            yield whiteout._replace(path=path)


def _relative(prefix: bytes, path: bytes) -> bytes | None:
    if path == prefix:
        return b""
    return path[len(prefix) + 1 :] if path.startswith(prefix + b"/") else None
