"""A merged tree as the kernel is shown it: what both kinds of mount answer out of it alone."""

import errno
import os
from functools import lru_cache

from . import wire
from .entry import Inode
from .listing import Chunk, Listed, part
from .listing_ahead import ListingAhead
from .shown import Shown
from .tree import Tree

_INODES_KEPT = 8192


class TreeView:
    """Answers about the objects of a tree.

    Args:
        tree: The tree; stays the caller's.
        shown: How owners are shown.
        counts: What listings tell is going to be counted.

    Attributes:
        inode: Returns the object of a number; raises OSError ESTALE.
        step: Reads a listing that will be asked for; returns whether there was anything to do.
    """

    def __init__(self, tree: Tree, shown: Shown, *, counts: bool = False) -> None:
        shown.owners(*tree.owners())
        self._tree = tree
        self._shown = shown
        self._counts = counts
        self._listed: Listed | None = None
        self._ahead = ListingAhead(tree, self._prepare)
        self.step = self._ahead.step
        self.inode = lru_cache(_INODES_KEPT)(self._inode)
        self.entry = shown.entry

    def lookup(self, directory: int, name: bytes) -> Inode | None:
        """Return the object of this name in a directory, None where there is none."""
        return self._tree.lookup(directory, name)

    def children(self, directory: int) -> list[tuple[bytes, Inode]]:
        """Return a directory's entries, sorted by name."""
        return self._tree.children(directory)

    def attributes(self, inode: Inode) -> wire.Attributes:
        """Return an object's attributes."""
        return self._shown.attributes(inode)

    def listed(self, directory: int, start: int) -> Listed:
        """Return the part of a directory's listing that begins at a position or before it."""
        listed = self._listed
        # Mostly the second of two requests: there must be one that is answered with nothing.
        if listed is None or listed.chunk.directory != directory or not listed.chunk.holds(start):
            listed = self._listed = self._ahead.take(directory, start) or self._read(
                directory, start
            )
        return listed

    def part(self, directory: int, start: int, size: int) -> "bytes | memoryview":
        """Return the entries of a directory from a position on that fit into a size."""
        return part(self.listed(directory, start).chunk, start, size)

    def _read(self, directory: int, start: int) -> Listed:
        try:
            return Listed(self._shown.chunk(self._tree.chunk(directory, start)))
        except KeyError:
            raise _stale() from None

    def _prepare(self, chunk: Chunk) -> Listed:
        listed = Listed(self._shown.chunk(chunk))
        if self._counts:
            listed.numbers()
        return listed

    def _inode(self, ino: int) -> Inode:
        try:
            return self._tree.inode(ino)
        except KeyError:
            raise _stale() from None


def _stale() -> OSError:
    return OSError(errno.ESTALE, os.strerror(errno.ESTALE))
