"""How often the kernel was told of objects that have no node, and in which directory.

A walk tells of every object of the tree, so a count is a byte of an array and not an object: the
entries of a directory have numbers in a row, and are counted together with one call, whatever their
number. That an object has a node, which counts for itself, is a value of the same byte.
"""

import struct
from collections.abc import Iterable, Sequence

_HOME = struct.Struct("=I")
_MANY = 254  # the count is elsewhere
_NODE = 255
_ONE_MORE = bytes([*range(1, _MANY), *[0] * 3])


class Told:
    """The counts, by numbers up to a highest one; there is room for none at first."""

    __slots__ = ("_counts", "_homes", "_many")

    def __init__(self) -> None:
        self._many: dict[int, int] = {}
        self._counts = bytearray()
        self._homes = memoryview(b"").cast("I")

    def make_room(self, last_ino: int, nodes: Iterable[int]) -> None:
        """Begin to count objects up to a number; these have nodes."""
        # Zeros that nothing is written to are no memory
        self._counts = bytearray(last_ino + 1)
        self._homes = memoryview(bytearray(4 * (last_ino + 1))).cast("I")
        for ino in nodes:
            self.take(ino)

    def __len__(self) -> int:
        """Return how many objects the kernel knows that have no node."""
        counts = self._counts
        return len(counts) - counts.count(0) - counts.count(_NODE)

    def __contains__(self, ino: int) -> bool:
        """Return whether the kernel knows an object that has no node."""
        return ino < len(self._counts) and 0 < self._counts[ino] < _NODE

    def count(self, ino: int) -> int:
        """Return how often the kernel was told of an object that has no node."""
        if ino not in self:
            return 0
        return self._many.get(ino) or self._counts[ino]

    def home(self, ino: int) -> int:
        """Return a directory that the object was told in; 0 where none is known."""
        return self._homes[ino] if ino < len(self._homes) else 0

    def tell(self, directory: int, numbers: Sequence[int]) -> list[int]:
        """Count a look-up of each of these; return those that have nodes, for those to count it."""
        if isinstance(numbers, range) and numbers and numbers.step == 1:
            start, stop = numbers.start, numbers.stop
            found = self._counts[start:stop]
            if len(found) == len(numbers) and max(found) < _MANY - 1:
                self._counts[start:stop] = found.translate(_ONE_MORE)
                self._homes[start:stop] = memoryview(_HOME.pack(directory) * len(found)).cast("I")
                return []
        return [ino for ino in numbers if self._tell_one(directory, ino)]

    def take(self, ino: int) -> int:
        """Return the count of an object that gets a node, which counts from now on."""
        count = self.count(ino)
        if ino < len(self._counts):
            self._many.pop(ino, None)
            self._counts[ino] = _NODE
        return count

    def give_back(self, ino: int) -> None:
        """Note that an object has no node any more; nobody knows it."""
        if ino < len(self._counts):
            self._counts[ino] = 0

    def forget(self, ino: int, lookups: int) -> None:
        """Take look-ups of an object without a node back."""
        if ino in self:
            self._set(ino, max(0, self.count(ino) - lookups))

    def _tell_one(self, directory: int, ino: int) -> bool:
        """Count a look-up, or return True where there is a node."""
        if ino >= len(self._counts):
            return False  # a damaged tree
        if self._counts[ino] == _NODE:
            return True
        self._set(ino, self.count(ino) + 1)
        self._homes[ino] = directory
        return False

    def _set(self, ino: int, count: int) -> None:
        self._counts[ino] = min(count, _MANY)
        if count < _MANY:
            self._many.pop(ino, None)
        else:
            self._many[ino] = count
