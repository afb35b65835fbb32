"""Requests about open directories of a writable mount.

An entry's position is its own for as long as the directory is known: that of a name of the lower
tree is its place there, the two dots come behind them, and behind those the names that only the
upperdir has, in the order in which they were first listed (`Node.positions`). So a program can come
back to a position, and the kernel go over from its own copy of a listing to a new one, while
entries come and go. (With places in a listing of the moment, `rm -r` would skip names: it removes
what it has read, and asks for what follows.)

Directories are not opened: ENOSYS to the first OPENDIR tells the kernel to send no more of them,
and to keep their entries in its cache. What was read at the beginning of a pass is kept for a while
by the directory's number, since a directory may be large and is asked for in pieces; where it is
kept no longer, it is read again, and the positions are the same.
"""

import errno
from bisect import bisect_right
from collections import OrderedDict
from typing import NamedTuple

from . import wire
from .copy_up import link_late
from .entry import Inode
from .fast_path import DONE, Then
from .node import Link, Node
from .served import Served


class _Entry(NamedTuple):
    """One name in a directory.

    Attributes:
        position: Its own, from 1.
        name: The name.
        inode: The tree's object, where nothing was changed when it was read; else None.
    """

    position: int
    name: bytes
    inode: Inode | None


class _Directory(NamedTuple):
    """What a directory showed when a pass over it began.

    Attributes:
        changes: `Overlay.changes` then.
        entries: By position.
    """

    changes: int
    entries: list[_Entry]


class DirectoryRequests:
    """Answers them."""

    def __init__(self, served: Served) -> None:
        self._path = served.path
        self._overlay = served.overlay
        self._attributes = served.attributes
        self._untouched = served.untouched
        self._is_volatile = served.features.is_volatile
        self._directories: OrderedDict[int, _Directory] = OrderedDict()
        served.path.serve(
            {
                wire.OPENDIR: self._opendir,
                wire.READDIRPLUS: self._readdirplus,
                wire.FSYNCDIR: self._fsyncdir,
            }
        )

    def _opendir(self, ino: int, length: int) -> int:
        del ino, length
        return errno.ENOSYS

    def _fsyncdir(self, ino: int, length: int) -> bytes:
        del length
        node = self._overlay.nodes.known(ino)
        # Of the lower tree there is nothing to bring
        if not self._is_volatile and node is not None and node.is_upper and not node.is_removed:
            self._overlay.upper.sync(node)
        return DONE

    def _readdirplus(
        self, ino: int, length: int
    ) -> "list[bytes | memoryview] | bytes | memoryview | Then":
        del length
        _, start, size = wire.READ_IN.unpack_from(self._path.buffer, wire.BODY)
        if self._untouched is not None and self._untouched.is_plain(ino):
            return self._untouched.part(ino, start, size)
        self._overlay.trim()
        node = self._overlay.node(ino)
        directory = self._directories.get(ino)
        if start == 0 or directory is None:
            directory = self._keep(ino, _Directory(self._overlay.changes, self._entries(node)))
        return self._pieces(node, directory, start, size)

    def _keep(self, ino: int, directory: _Directory) -> _Directory:
        self._directories[ino] = directory
        self._directories.move_to_end(ino)
        while len(self._directories) > _DIRECTORIES_KEPT:
            self._directories.popitem(last=False)
        return directory

    def _pieces(
        self, node: Node, directory: _Directory, start: int, size: int
    ) -> list["bytes | memoryview"]:
        """Return the entries from a position on that fit into a size."""
        entries = directory.entries
        pieces: list[bytes | memoryview] = []
        if start and entries and start >= entries[-1].position:
            self._directories.pop(node.ino, None)  # the end of the pass
        for place in range(bisect_right(entries, start, key=_position), len(entries)):
            entry = entries[place]
            if wire.named_length(entry.name) > size:
                break
            piece = self._piece(node, directory, entry)
            if piece is not None:  # else it is gone; an answer without entries would be the end
                pieces.append(piece)
                size -= len(piece)
        return pieces

    def _piece(self, parent: Node, directory: _Directory, entry: _Entry) -> bytes | None:
        """Return one entry as the kernel gets it; None for one that is gone.

        What is told of an object counts as a look-up, but for the dots, of which number and type
        are looked at.
        """
        position, name, inode = entry
        if name in _DOTS:
            ino = parent.ino
            if name == b".." and parent.links:
                ino = parent.links[0].parent.ino
            return wire.dots(ino, position, name)
        if inode is not None and directory.changes == self._overlay.changes:
            untouched = self._untouched
            if untouched is not None and self._overlay.nodes.known(inode.ino) is None:
                self._overlay.nodes.tell(parent.ino, (inode.ino,))
                return wire.named_entry(inode.ino, untouched.attributes(inode), position, name)
        node = self._overlay.find(Link(parent, name))
        if self._overlay.late_links:
            link_late(self._overlay)
        if node is None:
            return None
        fields = self._attributes.of(self._overlay.status(node))
        node.lookups += 1
        return wire.named_entry(node.ino, fields, position, name)

    def _entries(self, node: Node) -> list[_Entry]:
        """Return what a directory shows, by position."""
        if node.is_removed:
            return []
        shown, hidden = self._overlay.upper_names(node)
        below: list[tuple[bytes, Inode | None]] = []
        if node.lower is not None and self._untouched is not None:
            below += self._untouched.children(node)
        elif node.lower is not None:
            below += [(name, None) for name in self._overlay.lower.names(node.lower)]
        entries = [
            _Entry(position, name, None if name in shown else inode)
            for position, (name, inode) in enumerate(below, start=1)
            if name in shown or name not in hidden
        ]
        last = len(below)
        entries += [_Entry(last + number, name, None) for number, name in enumerate(_DOTS, start=1)]
        shown.difference_update(name for name, _ in below)
        return entries + _positioned(node, shown, last + len(_DOTS))


def _positioned(node: Node, names: set[bytes], last: int) -> list[_Entry]:
    """Return the names that only the upperdir has, by position; new ones get the next."""
    if not names:
        return []
    known = node.positions
    if known is None:
        known = node.positions = {}
    following = max(known.values(), default=last) + 1
    for position, name in enumerate(sorted(names - known.keys()), start=following):
        known[name] = position
    return sorted(_Entry(known[name], name, None) for name in names)


def _position(entry: _Entry) -> int:
    return entry.position


_DOTS = (b".", b"..")
_DIRECTORIES_KEPT = 16
