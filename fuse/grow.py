"""One more layer on a merged tree: what a step of a build adds to thousands of files is a few.

`merge` reads the indexes of all layers and writes everything; here the tree's file is copied and
changed where the layer changes it. The rules are those of `replay`, which sees the tree as if it
were in memory: a directory's contents are read when it asks for them. What is different then is
written: objects, names, and the directories that show them, packed as the kernel is given them.

The tree means the same as a merged one, but its numbers are others: new objects have the next ones,
those of removed objects stay free, and `statistics.inodes` is the highest.
"""

import os
import shutil
import sqlite3
import stat
from contextlib import ExitStack, closing

from . import listing, wire
from .database import change, seal, translated_write_errors
from .entry import HAS_XATTRS, IMPLIED_LAYER, SPARSE, TREE_VERSION, Entry, Inode
from .index import IndexReader
from .replay import MergedTree, Node
from .tree import ROOT_INO, Tree

Path = str | os.PathLike[str]

_INSERT = "INSERT OR REPLACE INTO inode VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_CHILDREN = "SELECT name, inode.* FROM dirent JOIN inode USING (ino) WHERE parent = ? ORDER BY name"
_SIZES = "SELECT coalesce(sum(size), 0) FROM inode WHERE mode & 0xf000 = 0x8000"


def grow(tree: Path, index: Path, layer: int, out: Path) -> None:
    """Write a tree with one more layer on top.

    The caller owns the file's safety: a temporary name, and fsync and rename afterwards.

    Args:
        tree: The merged tree of the layers below; one of a file, not of a pack.
        index: The layer's index.
        layer: Its position in the chain.
        out: The file to write; what it held is lost.

    Raises:
        MergeError: The layer does not fit.
        IndexFormatError: A file is damaged or of another version.
        OSError: It cannot be written.
    """
    with ExitStack() as stack:
        below = stack.enter_context(Tree.open(tree))
        reader = stack.enter_context(IndexReader(index))
        grown = _GrownTree(below, layer)
        grown.apply(reader.whiteouts(), reader.entries())
        with open(tree, "rb") as source, open(out, "r+b") as target:
            target.truncate()
            shutil.copyfileobj(source, target, 1 << 20)
        database = stack.enter_context(closing(change(out)))
        with translated_write_errors(out):
            _Writer(database, below, reader, layer).write(grown.known_root)
            seal(database, TREE_VERSION)


class _Known(Node):
    """An object of the tree below; what is in a directory is read when it is asked for.

    Attributes:
        inode: What the tree says of it.
        before: The contents of a directory as they were; None while nobody has asked.
    """

    __slots__ = ("_now", "_owner", "before", "inode")

    def __init__(self, inode: Inode, owner: "_GrownTree") -> None:
        super().__init__(_entry(inode), inode.layer)
        self.ino, self.inode, self._owner = inode.ino, inode, owner
        self.before: dict[bytes, Node] | None = None
        self._now: dict[bytes, Node] | None = None

    @property
    def children(self) -> dict[bytes, Node] | None:
        """What is in the directory."""
        if self._now is None and stat.S_ISDIR(self.inode.mode):
            self.before = self._owner.contents(self.ino)
            self._now = dict(self.before)
        return self._now

    @children.setter
    def children(self, contents: dict[bytes, Node] | None) -> None:
        """Ignore what the constructor of a new object would put in."""

    @property
    def is_changed(self) -> bool:
        """Whether its own attributes are those of another layer now."""
        return self.layer != self.inode.layer


class _GrownTree(MergedTree):
    """The layers below as far as they were asked for, with one more on top."""

    def __init__(self, tree: Tree, layer: int) -> None:
        super().__init__()
        self._tree = tree
        self._linked: dict[int, _Known] = {}
        self.known_root = _Known(tree.inode(ROOT_INO), self)
        self.root = self.known_root
        self._top = self.known_root.children or {}
        self._layer = layer - 1

    def contents(self, ino: int) -> dict[bytes, Node]:
        """Return the objects in a directory, those with several names once for all of them."""
        return {name: self._known(inode) for name, inode in self._tree.children(ino)}

    def _known(self, inode: Inode) -> _Known:
        if inode.nlink == 1 or stat.S_ISDIR(inode.mode):
            return _Known(inode, self)
        return self._linked.setdefault(inode.ino, _Known(inode, self))


class _Writer:
    """Writes what is different.

    Args:
        database: A copy of the tree below.
        tree: The tree below.
        reader: The layer's index.
        layer: Its position.
    """

    def __init__(
        self, database: sqlite3.Connection, tree: Tree, reader: IndexReader, layer: int
    ) -> None:
        self._database = database
        self._tree = tree
        self._reader = reader
        self._layer = layer
        (self._last,) = database.execute("SELECT max(ino) FROM inode").fetchone()
        self._parents = {ROOT_INO: ROOT_INO}  # of the directories that were looked into
        self._links: dict[int, int] = {}  # by how many names an object has more now
        self._dressed: dict[int, Node] = {}  # with attributes of this layer
        self._to_pack: set[int] = set()

    def write(self, root: _Known) -> None:
        """Write everything; `root` is the tree with the layer on top."""
        waiting: list[Node] = [root]
        while waiting:
            waiting += self._directory(waiting.pop())
        self._write_objects()
        self._write_contents()
        for directory in sorted(self._to_pack):
            self._pack(directory)
        self._write_summary()

    def _directory(self, node: Node) -> list[Node]:
        """Write the names of a directory; return the directories in it to go on with."""
        before = (node.before or {}) if isinstance(node, _Known) else {}
        now = node.children or {}
        gone = [(name, old) for name, old in before.items() if now.get(name) is not old]
        come = [(name, new) for name, new in sorted(now.items()) if before.get(name) is not new]
        for name, old in gone:
            self._run("DELETE FROM dirent WHERE parent = ? AND name = ?", node.ino, name)
            self._drop(old)
        for name, new in come:
            self._number(new)
            self._run("INSERT INTO dirent VALUES (?, ?, ?)", node.ino, name, new.ino)
        if gone or come or not isinstance(node, _Known):
            self._to_pack.add(node.ino)
            number = 2 + sum(each.children is not None for _, each in come)
            number += sum(_is_directory(old) and now.get(n) is old for n, old in before.items())
            self._show(node, number)
        elif node.is_changed:
            self._show(node, node.inode.nlink)
        deeper = [each for each in now.values() if _is_looked_into(each)]
        for each in deeper:
            self._parents[each.ino] = node.ino
        return deeper

    def _number(self, node: Node) -> None:
        if not node.ino:
            self._last += 1
            node.ino = self._last
            self._dressed[node.ino] = node
        if node.children is None:
            self._links[node.ino] = self._links.get(node.ino, 0) + 1

    def _show(self, directory: Node, nlink: int) -> None:
        """Note the attributes of a directory, which the one above it shows too."""
        directory.nlink = nlink
        self._dressed[directory.ino] = directory
        self._to_pack.add(self._parents[directory.ino])

    def _drop(self, node: Node) -> None:
        """Take away one name of an object of the tree below; a directory with all that is in it."""
        if not _is_directory(node):
            self._links[node.ino] = self._links.get(node.ino, 0) - 1
            return
        waiting = [node.ino]
        while waiting:
            ino = waiting.pop()
            for _, inode in self._tree.children(ino):
                if stat.S_ISDIR(inode.mode):
                    waiting.append(inode.ino)
                else:
                    self._links[inode.ino] = self._links.get(inode.ino, 0) - 1
            self._run("DELETE FROM dirent WHERE parent = ?", ino)
            self._unpack(ino)
            self._forget(ino)

    def _forget(self, ino: int) -> None:
        for table in ("inode", "xattr", "extent"):
            self._run(f"DELETE FROM {table} WHERE ino = ?", ino)  # noqa: S608 - of our schema

    def _write_objects(self) -> None:
        relinked = []
        for ino, more in self._links.items():
            node = self._dressed.get(ino)
            if node is not None:
                node.nlink = more
            elif more:
                nlink = self._tree.inode(ino).nlink + more
                if nlink == 0:
                    self._forget(ino)
                else:
                    self._run("UPDATE inode SET nlink = ? WHERE ino = ?", nlink, ino)
                    relinked.append(ino)
        self._pack_all_with(relinked)
        for ino, node in self._dressed.items():
            if isinstance(node, _Known) and not node.is_changed:
                self._run("UPDATE inode SET nlink = ? WHERE ino = ?", node.nlink, ino)
            else:
                self._run("DELETE FROM xattr WHERE ino = ?", ino)
                self._run(_INSERT, *_row(node))
                self._run("INSERT OR IGNORE INTO owner VALUES (0, ?)", node.entry.uid)
                self._run("INSERT OR IGNORE INTO owner VALUES (1, ?)", node.entry.gid)

    def _pack_all_with(self, inos: list[int]) -> None:
        """Pack every directory that shows one of these files: they have other names elsewhere."""
        wanted = set(inos)
        if wanted:
            rows = self._database.execute("SELECT parent, ino FROM dirent").fetchall()
            parents = {parent for parent, ino in rows if ino in wanted}
            self._to_pack |= parents
            missing = parents - self._parents.keys()
            self._parents |= {ino: parent for parent, ino in rows if ino in missing}

    def _write_contents(self) -> None:
        """Write what the layer's index has of extended attributes and of extents."""
        inos = {
            (flag, node.entry.number): ino
            for ino, node in self._dressed.items()
            if node.layer == self._layer
            for flag in (HAS_XATTRS, SPARSE)
            if node.entry.flags & flag
        }
        if inos:
            for xattr in self._reader.xattrs():
                if ino := inos.get((HAS_XATTRS, xattr[0])):
                    self._run("INSERT INTO xattr VALUES (?, ?, ?)", ino, *xattr[1:])
            for extent in self._reader.extents():
                if ino := inos.get((SPARSE, extent[0])):
                    self._run("INSERT INTO extent VALUES (?, ?, ?, ?)", ino, *extent[1:])

    def _unpack(self, directory: int) -> None:
        first, following = listing.place(directory, 0), listing.place(directory + 1, 0)
        self._run("DELETE FROM listing WHERE place >= ? AND place < ?", first, following)

    def _pack(self, directory: int) -> None:
        self._unpack(directory)
        children: list[listing.Named] = []
        for row in self._database.execute(_CHILDREN, (directory,)):
            name, inode = row[0], Inode._make(row[1:])
            shown = wire.lower_attributes(inode, inode.uid, inode.gid, inode.nlink)
            children.append((name, shown))
        for chunk in listing.pack(directory, self._parents[directory], children):
            values = (chunk.place, chunk.number, chunk.is_last, chunk.entries)
            self._run("INSERT INTO listing VALUES (?, ?, ?, ?)", *values)

    def _write_summary(self) -> None:
        (size,) = self._database.execute(_SIZES).fetchone()
        (xattrs,) = self._database.execute("SELECT count(*) FROM xattr").fetchone()
        self._run(
            "UPDATE statistics SET inodes = ?, bytes = ?, xattrs = ?", self._last, size, xattrs
        )

    def _run(self, sql: str, *values: object) -> None:
        self._database.execute(sql, values)


def _is_directory(node: Node) -> bool:
    return stat.S_ISDIR(node.entry.mode)


def _is_looked_into(node: Node) -> bool:
    """Return whether anything can be different in it, or of it."""
    if isinstance(node, _Known):
        return _is_directory(node) and (node.before is not None or node.is_changed)
    return node.children is not None


def _entry(inode: Inode) -> Entry:
    flags = SPARSE if inode.sparse else 0
    of_file = (inode.size, inode.mtime_ns, inode.rdev, inode.offset, inode.target)
    return Entry(0, b"", inode.mode, inode.uid, inode.gid, *of_file, flags)


def _row(node: Node) -> Inode:
    entry = node.entry
    return Inode(
        *(node.ino, entry.mode, node.nlink, entry.uid, entry.gid, entry.size, entry.mtime_ns),
        *(entry.rdev, IMPLIED_LAYER if node.is_implied else node.layer, entry.offset),
        *(entry.target, bool(entry.flags & SPARSE)),
    )
