"""The objects that the kernel knows by number, in a writable mount.

Numbers: an object of the lower tree keeps the tree's number, also when it is copied up; an object
that lives in the upperdir only has its number there, moved above the tree's range. So a number is
the same whenever the object is looked up, nothing has to be stored for it, and the kernel's
`forget` may drop an object here without its number changing later. Only copied-up objects need a
note (`NodeTable.copied`), which lasts as long as the mount.

An object can have several names (hard links), and lose all of them while a program still has it
open or stands in it. The table then holds an open file of it (`Node.orphan_fd`) until the kernel
forgets it, so that its upperdir number cannot be used for something else meanwhile.
"""

import errno
import os
from collections.abc import Callable, Sequence
from typing import NamedTuple

from .entry import Inode
from .told import Told

ROOT_INO = 1


class Node:
    """One object.

    Attributes:
        ino: Its number.
        is_directory: What it is never changes.
        links: Its known names; the first is used to reach it.
        lower: The lower tree's object: what is read until it is copied up; of a directory, what
            is merged with the upper one, None where nothing is (opaque, or nothing there).
        upper_ino: Its number in the upperdir; 0 where it is not there.
        orphan_fd: Open file of an upper object that has lost its last name; else -1.
        is_pinned: It is kept while it has a name, known to the kernel or not.
        has_xattr_whiteouts: Of a directory: regular files in it may be whiteouts.
        hidden: Of a directory of the lower tree: names that were removed, where no whiteout says so
            (`unwritten`).
        changed_ns: Of such a directory: when that was.
        positions: Of a directory: where names that the lower tree lacks were listed.
        lookups: How often the kernel was told of it.
        children: How many nodes have a name in this directory.
    """

    __slots__ = (
        "changed_ns",
        "children",
        "has_xattr_whiteouts",
        "hidden",
        "ino",
        "is_directory",
        "is_pinned",
        "links",
        "lookups",
        "lower",
        "orphan_fd",
        "positions",
        "upper_ino",
    )

    def __init__(
        self, ino: int, *, is_directory: bool, lower: Inode | None = None, upper_ino: int = 0
    ) -> None:
        self.ino = ino
        self.is_directory = is_directory
        self.links: list[Link] = []
        self.lower = lower
        self.upper_ino = upper_ino
        self.orphan_fd = -1
        self.is_pinned = False
        self.has_xattr_whiteouts = False
        self.hidden: set[bytes] | None = None
        self.changed_ns = 0
        self.positions: dict[bytes, int] | None = None
        self.lookups = 0
        self.children = 0

    @property
    def is_upper(self) -> bool:
        """Whether it lives in the upperdir."""
        return self.upper_ino != 0

    @property
    def is_removed(self) -> bool:
        """Whether it has lost its last name."""
        return not self.links and self.ino != ROOT_INO

    def add_link(self, link: "Link") -> None:
        """Note a name; once."""
        if link not in self.links:
            self.links.append(link)
            link.parent.children += 1

    def drop_link(self, link: "Link") -> None:
        """Note that a name is gone."""
        self.links.remove(link)
        link.parent.children -= 1

    def close(self) -> None:
        """Close the file that stands for an object without a name; harmless when repeated."""
        if self.orphan_fd >= 0:
            os.close(self.orphan_fd)
            self.orphan_fd = -1


class Link(NamedTuple):
    """A name in a directory, whether there is something under it or not."""

    parent: Node
    name: bytes


class NodeTable:
    """All nodes by number.

    Args:
        root: The mount's root, which is never forgotten.
        first_upper_ino: Where the numbers of upper-only objects begin: above the tree's.
        dropped: Called with each node that is dropped.

    Attributes:
        told: How often the kernel was told of objects of the lower tree that have no node.
    """

    def __init__(
        self, root: Node, first_upper_ino: int, dropped: Callable[[Node], None] | None = None
    ) -> None:
        self._nodes = {root.ino: root}
        self._dropped = dropped
        self._first_upper_ino = first_upper_ino
        self.root = root
        self.copied: dict[int, int] = {}
        self.told = Told()
        self._upper_directories: dict[int, Node] = {}

    def __len__(self) -> int:
        return len(self._nodes)

    def node(self, ino: int) -> Node:
        """Return a node that the kernel knows; raises OSError ESTALE for any other number."""
        node = self._nodes.get(ino)
        if node is None:
            raise OSError(errno.ESTALE, os.strerror(errno.ESTALE))
        return node

    def upper_number(self, upper_ino: int) -> int:
        """Return the number of an object of the upperdir that is not a merged directory."""
        return self.copied.get(upper_ino) or self._first_upper_ino + upper_ino

    def known(self, ino: int) -> Node | None:
        """Return a node if it is known."""
        return self._nodes.get(ino)

    def add(self, node: Node) -> None:
        """Note a new node."""
        self._nodes[node.ino] = node
        node.lookups += self.told.take(node.ino)
        if node.is_directory and node.is_upper:
            self._upper_directories[node.upper_ino] = node

    def expect(self, last_ino: int) -> None:
        """Begin to count look-ups of objects that have no node, up to a number."""
        self.told.make_room(last_ino, self._nodes)

    def tell(self, directory: int, numbers: Sequence[int]) -> None:
        """Count a look-up of each of these objects of the lower tree, with a node or without."""
        for ino in self.told.tell(directory, numbers):
            self._nodes[ino].lookups += 1

    def set_upper(self, node: Node, upper_ino: int) -> None:
        """Note that an object of the lower tree lives in the upperdir from now on."""
        node.upper_ino = upper_ino
        if node.is_directory:
            self._upper_directories[upper_ino] = node
        else:
            self.copied[upper_ino] = node.ino

    def unset_upper(self, node: Node) -> None:
        """Note that a file is the lower tree's again: its copy is gone."""
        self.copied.pop(node.upper_ino, None)
        node.upper_ino = 0

    def upper_directory(self, upper_ino: int) -> Node | None:
        """Return the known node of a directory of the upperdir."""
        node = self._upper_directories.get(upper_ino)
        return None if node is None or node.is_removed else node

    def close(self) -> None:
        """Close the files of objects without a name."""
        for node in self._nodes.values():
            node.close()

    def forget(self, ino: int, lookups: int) -> None:
        """Take back what the kernel was told; drops the node at none."""
        node = self._nodes.get(ino)
        if node is not None:
            node.lookups -= lookups
            self.release(node)
            return
        self.told.forget(ino, lookups)

    def release(self, node: Node) -> None:
        """Drop a node if nobody knows it, and its directories if that was all that kept them."""
        unwanted = [node]
        while unwanted:
            each = unwanted.pop()
            if each.lookups > 0 or each.children or each is self.root:
                continue
            if each.is_pinned and not each.is_removed:
                continue
            if self._nodes.get(each.ino) is not each:
                continue
            del self._nodes[each.ino]
            self.told.give_back(each.ino)
            if self._upper_directories.get(each.upper_ino) is each:
                del self._upper_directories[each.upper_ino]
            if each.is_removed:
                self.copied.pop(each.upper_ino, None)
            each.close()
            if self._dropped is not None:
                self._dropped(each)
            for parent, _ in each.links:
                parent.children -= 1
                unwanted.append(parent)
