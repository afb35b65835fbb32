"""A merged tree as the kernel is shown it: what both kinds of mount answer out of it alone."""

import errno
import os
from functools import lru_cache

from . import wire
from .entry import Inode
from .listing import Chunk, part
from .shown import Shown
from .tree import Tree

_INODES_KEPT = 8192


class TreeView:
    """Answers about the objects of a tree.

    Args:
        tree: The tree; stays the caller's.
        shown: How owners are shown.

    Attributes:
        inode: Returns the object of a number; raises OSError ESTALE.
    """

    def __init__(self, tree: Tree, shown: Shown) -> None:
        shown.owners(*tree.owners())
        self._tree = tree
        self._shown = shown
        self._chunk: Chunk | None = None
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

    def part(self, directory: int, start: int, size: int) -> memoryview:
        """Return the entries of a directory from a position on that fit into a size."""
        chunk = self._chunk
        # Mostly the second of two requests: there must be one that is answered with nothing.
        if chunk is None or chunk.directory != directory or not chunk.holds(start):
            try:
                chunk = self._chunk = self._shown.chunk(self._tree.chunk(directory, start))
            except KeyError:
                raise _stale() from None
        return part(chunk, start, size)

    def _inode(self, ino: int) -> Inode:
        try:
            return self._tree.inode(ino)
        except KeyError:
            raise _stale() from None


def _stale() -> OSError:
    return OSError(errno.ESTALE, os.strerror(errno.ESTALE))
