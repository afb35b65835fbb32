"""Open directories of a writable mount.

The names are read once for each pass over a directory, at position 0, and kept with the handle: so
a position means the same name for as long as the handle lives, while entries come and go.
"""

import errno
import os
from collections.abc import Callable

import pyfuse3

from .attributes import AttributeMaker
from .copy_up import link_late
from .node import Link, Node
from .overlay import Overlay

Give = Callable[[bytes, pyfuse3.EntryAttributes, int], bool]
"""Takes a name, its attributes and the position behind it; returns whether there was room."""


class _Directory:
    """One open directory: its node, and the names of the pass that is under way."""

    __slots__ = ("names", "node")

    def __init__(self, node: Node) -> None:
        self.node = node
        self.names: list[bytes] = []


class OpenDirectories:
    """All open directories, by the numbers that the kernel has for them."""

    def __init__(self, overlay: Overlay, attributes: AttributeMaker) -> None:
        self._overlay = overlay
        self._attributes = attributes
        self._open: dict[int, _Directory] = {}
        self._last = 0

    def __len__(self) -> int:
        return len(self._open)

    def open(self, node: Node) -> int:
        """Return the number of a new handle; the directory is read at its first request."""
        self._last += 1
        self._open[self._last] = _Directory(node)
        return self._last

    def read(self, number: int, start: int, give: Give) -> None:
        """Give the entries from a position on, as many as there is room for.

        An entry that is given counts as a lookup of its node.
        """
        directory = self._directory(number)
        if start == 0:
            directory.names = self._overlay.names(directory.node)
        names = directory.names
        for place in range(start, len(names)):
            if not self._give_entry(directory.node, names[place], place + 1, give):
                return
        # The two dots come last, where the kernel looks at their number and type only.
        for place, dots in enumerate((b".", b".."), start=len(names)):
            if place >= start:
                entry = self._attributes.of(self._overlay.status(directory.node))
                if not give(dots, entry, place + 1):
                    return

    def close(self, number: int) -> None:
        """Close a directory."""
        del self._open[number]

    def _directory(self, number: int) -> _Directory:
        try:
            return self._open[number]
        except KeyError:
            raise OSError(errno.EBADF, os.strerror(errno.EBADF)) from None

    def _give_entry(self, parent: Node, name: bytes, position: int, give: Give) -> bool:
        """Give one entry; return whether there was room."""
        node = self._overlay.find(Link(parent, name))
        if self._overlay.late_links:
            link_late(self._overlay)
        if node is None:
            return True  # removed since the names were read
        had_room = give(name, self._attributes.of(self._overlay.status(node)), position)
        if had_room:
            node.lookups += 1
        else:
            self._overlay.nodes.release(node)
        return had_room
