"""Listings read before they are asked for.

Who walks a tree goes from each directory to the next one, and directories that lie side by side
have listings that do (`listing.place`). So once two of them were asked for in order, the following
ones are read in the gaps between requests (see `pump`), and the answer is there when the request
comes: a row behind the last one costs 2 µs, one that is looked for 7.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

from .database import IndexFormatError
from .listing import Chunk, place
from .tree import Tree

_STRIDE = 64  # numbers between two directories that are in order: files have numbers too
_AHEAD = 8  # a chunk is 32 KB at most

Listed = TypeVar("Listed")


class ListingAhead(Generic[Listed]):
    """Follows what is listed, and keeps a few chunks of what will be.

    Args:
        tree: Where they are.
        prepare: What is to be made of a chunk, and kept.
    """

    def __init__(self, tree: Tree, prepare: Callable[[Chunk], Listed]) -> None:
        self._tree = tree
        self._prepare = prepare
        self._kept: OrderedDict[int, Listed] = OrderedDict()
        self._rows: Iterator[Chunk] = iter(())
        self._wanted = 0
        self._last = -1 - _STRIDE

    def take(self, directory: int, start: int) -> Listed | None:
        """Return what begins at a position of a directory, if it is there, and follow."""
        key = place(directory, start)
        if key in self._kept:
            return self._reach(key)
        if start == 0:
            if 0 < directory - self._last <= _STRIDE:
                self._kept.clear()
                self._rows = self._tree.chunks_behind(place(directory + 1, 0) - 1)
                self._wanted = _AHEAD
            self._last = directory
        return None

    def step(self) -> bool:
        """Read one chunk ahead; return whether there was anything to do."""
        if self._wanted <= 0:
            return False
        self._wanted -= 1
        try:
            chunk = next(self._rows, None)
        except (IndexFormatError, OSError):
            chunk = None  # whoever asks for it is told
        if chunk is None:
            self._wanted = 0
            return False
        self._kept[chunk.place] = self._prepare(chunk)
        return True

    def _reach(self, key: int) -> Listed:
        """Return what is kept under a key, and let go of what was passed over."""
        at, found = self._kept.popitem(last=False)
        while at != key:
            at, found = self._kept.popitem(last=False)
        self._wanted = _AHEAD - len(self._kept)
        return found
