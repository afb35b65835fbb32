"""Directories read from the tree before they are listed.

A program that walks a tree (find, tar, rm -r, ldconfig) lists a directory, then its first
subdirectory, and so on. While it looks at one listing, in the gap before its next request, the next
one is made ready: on a second CPU that costs it nothing.

Nothing is done before `_RUN` directories were listed in this order, and never more than `_AHEAD`
listings wait for being asked for, so a wrong guess costs little and stops by itself.
"""

from typing import Any

from .readdir import ListingCache

_RUN = 2
_AHEAD = 8
_STACK = 256


class WalkAhead:
    """Follows the listings; makes the next ones ready.

    Args:
        listings: Where they are kept.
    """

    def __init__(self, listings: ListingCache[Any]) -> None:
        self._listings = listings
        self._stack: list[int] = []
        self._waiting: set[int] = set()
        self._run = 0

    def listed(self, ino: int) -> None:
        """Note that a directory is being listed from its beginning."""
        stack = self._stack
        if ino in stack[-_AHEAD:]:
            self._run += 1
            while stack.pop() != ino:
                pass
        else:
            self._run = 0
            stack.clear()
            self._waiting.clear()
        self._waiting.discard(ino)
        stack += reversed(self._listings.listing(ino).directories)
        if len(stack) > _STACK:
            del stack[:-_STACK]

    def step(self) -> bool:
        """Make one listing ready; return whether there was one to make."""
        if self._run < _RUN or len(self._waiting) >= _AHEAD:
            return False
        for ino in reversed(self._stack[-_AHEAD:]):
            if ino not in self._waiting and not self._listings.is_kept(ino):
                self._waiting.add(ino)
                self._listings.listing(ino)
                return True
        return False
