"""The image that a COPY writes to, as far as the steps before have made it: names, and no contents.

Links are followed as a process in the container would follow them; what is not there yet is made
where they lead.
"""

import os
import stat
from contextlib import ExitStack
from typing import NamedTuple, Self

from rootless.build.copy_source import LINKS_MAX, path_parts
from rootless.errors import InvalidInput
from rootless.image import trees
from rootless.image.layers import Inode, Tree
from rootless.image.names import Located


class Place(NamedTuple):
    """Where a path leads: links resolved, relative to the root; and what is there."""

    path: bytes
    inode: Inode | None

    @property
    def is_folder(self) -> bool:
        """Whether a folder is there."""
        return not self.path or (self.inode is not None and stat.S_ISDIR(self.inode.mode))


class Destination:
    """The tree of an image; opened when it is first asked; a context manager.

    Args:
        place: Where the tree is; None for an image without layers.
    """

    def __init__(self, place: Located | None) -> None:
        self._place = place
        self._held = ExitStack()
        self._tree: Tree | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._held.close()
        self._tree = None

    def look(self, path: bytes) -> Inode | None:
        """Return what is at a path, no link followed."""
        tree = self._opened()
        if tree is None:
            return None
        inode: Inode | None = tree.inode(1)
        for name in path.split(b"/") if path else ():
            inode = None if inode is None else tree.lookup(inode.ino, name)
        return inode

    def xattrs(self, inode: Inode) -> dict[bytes, bytes]:
        """Return the extended attributes of what `look` found."""
        tree = self._opened()
        return {} if tree is None else tree.xattrs(inode.ino)

    def resolve(self, path: bytes) -> Place:
        """Return where a path leads.

        Raises:
            InvalidInput: Links lead in a circle, or through what is no folder.
        """
        trail: list[bytes] = []
        rest = path_parts(path)
        followed = 0
        while rest:
            name = rest.pop()
            if name == b"..":
                trail = trail[:-1]
                continue
            inode = self.look(b"/".join((*trail, name)))
            if inode is not None and stat.S_ISLNK(inode.mode):
                followed += 1
                if followed > LINKS_MAX:
                    raise InvalidInput("links of the image lead in a circle", os.fsdecode(path))
                if inode.target.startswith(b"/"):
                    trail = []
                rest += path_parts(inode.target)
                continue
            if inode is not None and rest and not stat.S_ISDIR(inode.mode):
                where = os.fsdecode(b"/".join((b"", *trail, name)))
                raise InvalidInput("the destination leads through what is no folder", where)
            trail.append(name)
        resolved = b"/".join(trail)
        return Place(resolved, self.look(resolved))

    def _opened(self) -> Tree | None:
        if self._tree is None and self._place is not None:
            self._tree = self._held.enter_context(trees.open_tree(self._place.tree))
        return self._tree
