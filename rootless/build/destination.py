"""The image that a COPY writes to, as far as the steps before have made it: names, and no contents.

Links are followed as a process in the container would follow them; what is not there yet is made
where they lead.
"""

import os
import stat
from contextlib import ExitStack
from typing import TYPE_CHECKING, NamedTuple, Self

from rootless.build.layer_stack import FOLDER, LayerStack, Seen
from rootless.errors import InvalidInput
from rootless.image import trees

if TYPE_CHECKING:
    from rootless.image.layers import Tree

_LINKS_MAX = 40  # as the kernel has it


class Place(NamedTuple):
    """Where a path leads: links resolved, relative to the root; and what is there."""

    path: bytes
    seen: Seen | None

    @property
    def is_folder(self) -> bool:
        """Whether a folder is there."""
        return self.seen is not None and self.seen.is_folder


class Destination:
    """The names of an image; a context manager, for one thread.

    Args:
        stack: Where they are.
    """

    def __init__(self, stack: LayerStack) -> None:
        self._stack = stack
        self._held = ExitStack()
        self._tree: Tree | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._held.close()
        self._tree = None

    def look(self, path: bytes) -> Seen | None:
        """Return what is at a path, no link followed."""
        if not path:
            return FOLDER
        for layer in self._stack.above:
            seen = layer.look(path)
            if seen is not None:
                return seen
            if layer.covers(path):
                return None
        return self._look_in_tree(path)

    def resolve(self, path: bytes) -> Place:
        """Return where a path leads.

        Raises:
            InvalidInput: Links lead in a circle, or through what is no folder.
        """
        trail: list[bytes] = []
        rest = _parts(path)
        followed = 0
        while rest:
            name = rest.pop()
            if name == b"..":
                trail = trail[:-1]
                continue
            seen = self.look(b"/".join((*trail, name)))
            if seen is not None and stat.S_ISLNK(seen.mode):
                followed += 1
                if followed > _LINKS_MAX:
                    raise InvalidInput("links of the image lead in a circle", os.fsdecode(path))
                if seen.target.startswith(b"/"):
                    trail = []
                rest += _parts(seen.target)
                continue
            if seen is not None and rest and not seen.is_folder:
                where = os.fsdecode(b"/".join((b"", *trail, name)))
                raise InvalidInput("the destination leads through what is no folder", where)
            trail.append(name)
        resolved = b"/".join(trail)
        return Place(resolved, self.look(resolved))

    def _look_in_tree(self, path: bytes) -> Seen | None:
        if self._stack.tree is None:
            return None
        if self._tree is None:
            self._tree = self._held.enter_context(trees.open_tree(self._stack.tree))
        number = 1
        for name in path.split(b"/"):
            inode = self._tree.lookup(number, name)
            if inode is None:
                return None
            number = inode.ino
        return Seen(inode.mode, inode.target) if inode is not None else None


def _parts(path: bytes) -> list[bytes]:
    """Return the parts of a path, the first one last."""
    return [part for part in reversed(path.split(b"/")) if part not in (b"", b".")]
