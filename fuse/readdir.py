"""Directories as they are listed.

A directory of the lower tree is read with one query and kept, as the kernel asks for it in pieces,
comes back for the single names, and (pyfuse3 cannot ask it to cache a directory) reads the whole
again for each `ls`. The position of an entry is its place in the listing, stable for good: the tree
does not change.
"""

import stat
from bisect import bisect_left
from collections import OrderedDict
from collections.abc import Callable, Iterable
from typing import Generic, TypeVar

from .tree import Inode, Tree

A = TypeVar("A")
"""An entry's attributes in the form that the reader wants; this module does not look into them."""

_ENTRIES_KEPT = 65_536  # about 25 MB of attributes; a listing bigger than that is kept alone


class Listing(Generic[A]):
    """One directory, sorted by name.

    Attributes:
        ino: The directory.
        names: Sorted.
        attributes: By position.
        inodes: By inode number, in order; a directory's children are numbered in a row, hard
            links to files elsewhere excepted.
        directories: The numbers of its subdirectories, in order.
    """

    __slots__ = ("attributes", "directories", "ino", "inodes", "names")

    def __init__(
        self, ino: int, children: Iterable[tuple[bytes, Inode]], make: Callable[[Inode], A]
    ) -> None:
        self.ino = ino
        self.names: list[bytes] = []
        self.attributes: list[A] = []
        self.inodes: dict[int, Inode] = {}
        self.directories: list[int] = []
        for name, inode in children:
            self.names.append(name)
            self.attributes.append(make(inode))
            self.inodes[inode.ino] = inode
            if stat.S_ISDIR(inode.mode):
                self.directories.append(inode.ino)

    def position(self, name: bytes) -> int:
        """Return the place of a name, -1 where it is absent."""
        place = bisect_left(self.names, name)
        found = place < len(self.names) and self.names[place] == name
        return place if found else -1


class ListingCache(Generic[A]):
    """The directories that were listed last, and by them the objects that the kernel knows."""

    def __init__(
        self, tree: Tree, make: Callable[[Inode], A], entries_kept: int = _ENTRIES_KEPT
    ) -> None:
        self._tree = tree
        self._make = make
        self._entries_kept = entries_kept
        self._entries = 0
        self._listings: OrderedDict[int, Listing[A]] = OrderedDict()
        self._holders: dict[int, Listing[A]] = {}

    def listing(self, ino: int) -> Listing[A]:
        """Return a directory's listing."""
        known = self._listings.get(ino)
        if known is not None:
            self._listings.move_to_end(ino)
            return known
        listing = Listing(ino, self._tree.children(ino), self._make)
        self._listings[ino] = listing
        self._holders.update(dict.fromkeys(listing.inodes, listing))
        self._entries += len(listing.names)
        while self._entries > self._entries_kept and len(self._listings) > 1:
            self._drop_oldest()
        return listing

    def is_kept(self, ino: int) -> bool:
        """Return whether a directory's listing is at hand."""
        return ino in self._listings

    def lookup(self, parent: int, name: bytes) -> A | None:
        """Return the attributes of a name, None where it is absent."""
        known = self._listings.get(parent)
        if known is not None:
            place = known.position(name)
            return known.attributes[place] if place >= 0 else None
        inode = self._tree.lookup(parent, name)
        return None if inode is None else self._make(inode)

    def inode(self, ino: int) -> Inode:
        """Return an object by its number; raises KeyError where there is none."""
        holder = self._holders.get(ino)
        return self._tree.inode(ino) if holder is None else holder.inodes[ino]

    def holder(self, ino: int) -> Listing[A] | None:
        """Return a kept listing that holds the object, None where no such listing is kept."""
        return self._holders.get(ino)

    def _drop_oldest(self) -> None:
        _, oldest = self._listings.popitem(last=False)
        self._entries -= len(oldest.names)
        for ino in oldest.inodes:
            if self._holders.get(ino) is oldest:  # a hard link may be held by another listing
                del self._holders[ino]
