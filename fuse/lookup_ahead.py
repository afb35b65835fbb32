"""Names looked up before they are asked for.

Who looks for a few names in a directory mostly looks for more of them there: a program that loads
modules, or tries where one might be, and whoever removes what a directory has. So after some in a
row all names of the directory are read with one query, at 1 µs each in place of 10, and names that
are not there cost no query at all. Only a few directories are kept, the last ones that were read.
"""

from collections import OrderedDict
from collections.abc import Callable, Mapping

from .entry import Inode

RUN = 4
"""So many look-ups in a row begin it."""

NAMES_MAX = 512
"""What is read of a directory with more is thrown away, and no more of it is read."""

DIRECTORIES_KEPT = 8


class LookupAhead:
    """Follows look-ups, and keeps the names of a few directories.

    Args:
        lookup: Finds one name in a directory.
        children: Returns a directory's names with their objects, up to a number.
    """

    def __init__(
        self,
        lookup: Callable[[int, bytes], Inode | None],
        children: Callable[[int, int], list[tuple[bytes, Inode]]],
    ) -> None:
        self._lookup = lookup
        self._children = children
        self._kept: OrderedDict[int, Mapping[bytes, Inode]] = OrderedDict()
        self._large: set[int] = set()
        self._last = 0
        self._run = 0

    def lookup(self, directory: int, name: bytes) -> Inode | None:
        """Return the object of this name in a directory, None where there is none."""
        names = self._kept.get(directory)
        if names is not None:
            return names.get(name)
        if directory != self._last:
            self._last, self._run = directory, 0
        self._run += 1
        if self._run == RUN and directory not in self._large:
            names = self._read(directory)
            if names is not None:
                return names.get(name)
        return self._lookup(directory, name)

    def _read(self, directory: int) -> Mapping[bytes, Inode] | None:
        found = self._children(directory, NAMES_MAX + 1)
        if len(found) > NAMES_MAX:
            self._large.add(directory)
            return None
        names = self._kept[directory] = dict(found)
        if len(self._kept) > DIRECTORIES_KEPT:
            self._kept.popitem(last=False)
        return names
