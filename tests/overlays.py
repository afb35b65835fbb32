"""An overlay without a mount: its core, as the handlers call it."""

import os
import stat
from collections.abc import Sequence
from pathlib import Path
from typing import Self

import images
import trees

from fuse.contents import TarContents
from fuse.node import Link, Node
from fuse.overlay import Overlay
from fuse.overlayfs_form import SHARED_WHITEOUT
from fuse.ownership import Squash
from fuse.tree import Tree
from fuse.tree_lower import TreeLower
from fuse.upper import Upper


class Core:
    """An overlay over layers, with an upperdir in a folder; a context manager.

    Everything belongs to the user who runs the tests, as in a user namespace with one ID.
    """

    def __init__(self, folder: Path, layers: Sequence[images.Layer]) -> None:
        self.upperdir, self.workdir = folder / "upper", folder / "work"
        for each in (self.upperdir, self.workdir):
            each.mkdir(exist_ok=True)
        self._tree = trees.build_tree(folder / "layers", layers)
        self._tars = [trees.tar_path(folder / "layers", n) for n in range(len(layers))]
        self._fds = [os.open(each, os.O_RDONLY) for each in (self.upperdir, self.workdir)]
        self.overlay = self._mounted()

    def remounted(self) -> Overlay:
        """Return a new overlay over what is on disk; the old one is closed."""
        self.overlay.close()
        self.overlay = self._mounted()
        return self.overlay

    def _mounted(self) -> Overlay:
        self.upper = Upper(*self._fds)
        uids, gids = Squash(((0, 0),), os.getuid()), Squash(((0, 0),), os.getgid())
        lower = TreeLower(Tree.open(self._tree), TarContents(self._tars))
        return Overlay(lower, self.upper, uids, gids)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close everything."""
        self.overlay.close()
        for fd in self._fds:
            os.close(fd)

    def in_workdir(self) -> list[bytes]:
        """Return what is in the workdir but the whiteout that the others are links of."""
        return [name for name in os.listdir(os.fsencode(self.workdir)) if name != SHARED_WHITEOUT]

    @property
    def root(self) -> Node:
        """The root's node."""
        return self.overlay.nodes.root

    def link(self, path: str) -> Link:
        """Return a path's directory and name; the directory must be there."""
        parent, _, name = path.rpartition("/")
        return Link(self.node(parent) if parent else self.root, name.encode())

    def node(self, path: str) -> Node:
        """Look a path up, as the kernel does; it counts."""
        node = self.root
        for name in path.split("/"):
            node = self.overlay.require(Link(node, name.encode()))
            node.lookups += 1
        return node

    def exists(self, path: str) -> bool:
        """Tell whether a name shows."""
        return self.overlay.find(self.link(path)) is not None

    def names(self, path: str = "") -> list[bytes]:
        """List a directory."""
        return shown_names(self.overlay, self.node(path) if path else self.root)


def shown_names(overlay: Overlay, node: Node) -> list[bytes]:
    """Return the names that a directory shows, sorted."""
    if node.is_removed:
        return []
    shown, hidden = overlay.upper_names(node)
    below = [] if node.lower is None else overlay.lower.names(node.lower)
    found = sorted(shown.union(below) - (hidden - shown))
    assert overlay.is_empty(node) == (not found)
    return found


def is_whiteout(path: Path) -> bool:
    """Tell whether a file is the device form of a whiteout."""
    status = path.lstat()
    return stat.S_ISCHR(status.st_mode) and status.st_rdev == 0
