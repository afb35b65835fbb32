"""Objects of a merged tree that the kernel knows and nobody has changed.

A writable mount keeps a node for what is in its upperdir, or on its way there. Most of what a
program looks at is neither: of such an object there is nothing to remember but how often the kernel
was told of it (`NodeTable.told`) and in which directory, and what is asked of it is answered from
the tree. It gets a node when something is to be done with it (`Overlay.node`).

Files with several names have nodes from the beginning, which know the names that are left.
"""

import stat
from collections.abc import Callable, Iterator

from . import wire
from .entry import Inode
from .fast_path import Then
from .listing import hard_linked, numbers, part
from .node import Link, Node
from .overlay import Overlay
from .tree_lower import TreeLower
from .tree_view import TreeView


def is_hard_linked(inode: Inode) -> bool:
    """Return whether a file has several names."""
    return inode.nlink > 1 and not stat.S_ISDIR(inode.mode)


class Untouched:
    """Answers from the tree, as long as it is right.

    Args:
        overlay: The overlay.
        lower: Its lower.
        view: The same, as it is shown.
        describe: Makes the answer to a look-up of a node.
    """

    def __init__(
        self,
        overlay: Overlay,
        lower: TreeLower,
        view: TreeView,
        describe: Callable[[Node], bytes],
    ) -> None:
        self._overlay = overlay
        self._nodes = overlay.nodes
        self._view = view
        self._describe = describe
        self._lower = lower
        self._nodes.expect(lower.last_ino)
        self.step = view.step
        self.piece = lower.contents.piece
        self.inode = view.inode
        self.attributes = view.attributes

    def knows(self, ino: int) -> bool:
        """Return whether the kernel knows an object that has no node."""
        return ino in self._nodes.told

    def is_plain(self, directory: int) -> bool:
        """Return whether a directory shows what the tree has in it, no more and no less."""
        node = self._nodes.known(directory)
        if node is None:
            return directory in self._nodes.told
        if node.is_upper or node.is_removed or node.hidden is not None:
            return False
        return node.lower is not None

    def lookup(self, directory: int, name: bytes) -> bytes | None:
        """Return the answer to a look-up in a plain directory, which counts.

        None where it is for a node to answer: a file with several names, or one that has one.
        """
        inode = self._view.lookup(directory, name)
        if inode is None:
            return wire.ABSENT
        if is_hard_linked(inode) or self._nodes.known(inode.ino) is not None:
            return None
        self._nodes.tell(directory, (inode.ino,))
        return self._view.entry(inode)

    def part(self, directory: int, start: int, size: int) -> "bytes | memoryview | Then":
        """Return entries of a plain directory, which count as look-ups once they are told."""
        listed = self._view.listed(directory, start)
        entries = part(listed.chunk, start, size)
        if not entries:
            return entries
        is_whole = entries is listed.chunk.entries
        found, has_hard_links = listed.numbers() if is_whole else numbers(entries)
        if not has_hard_links:
            return Then(entries, lambda: self._nodes.tell(directory, found))
        linked = list(hard_linked(entries))
        with_nodes = {ino for _, ino, _ in linked}
        self._nodes.tell(directory, [ino for ino in found if ino not in with_nodes])
        return b"".join(self._with_nodes(self._overlay.node(directory), entries, linked))

    def read(self, inode: Inode, offset: int, room: memoryview) -> "bytes | memoryview":
        """Read as much of a file as there is room for; fewer bytes only at the end."""
        if inode.sparse:
            return self._lower.read(inode, offset, len(room))
        return room[: self._lower.contents.read_into(inode, offset, room)]

    def children(self, node: Node) -> Iterator[tuple[bytes, Inode | None]]:
        """Yield what the tree has in a directory, sorted by name; None for what needs a node."""
        if node.lower is not None:
            for name, inode in self._view.children(node.ino):
                yield name, None if is_hard_linked(inode) else inode

    def _with_nodes(
        self, parent: Node, entries: "bytes | memoryview", linked: list[tuple[int, int, bytes]]
    ) -> Iterator["bytes | memoryview"]:
        """Yield entries in pieces, those of files with several names made from their nodes."""
        done = 0
        entries = memoryview(entries)
        for at, _, name in linked:
            node = self._overlay.require(Link(parent, name))
            node.lookups += 1
            yield entries[done:at]
            yield self._describe(node)
            done = at + wire.ENTRY.size
        yield entries[done:]
