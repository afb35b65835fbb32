"""Many layers become one tree, in memory: no file is read or written here.

Sources: OCI image specification, layer.md, "Applying Changesets" and "Whiteouts"; for what it
leaves open, what umoci and the kernel's overlayfs show for the same layers (tests/conformance).

The rules, layer by layer, the lowest first:

* First the whiteouts, all of them: they concern the lower layers only, wherever in the tar they
  stand. Then the entries in the order of the tar, as an extraction would make them.
* A directory over a directory keeps the contents and takes the new attributes, extended ones
  included. Anything else over anything takes its place, contents and all. The last of several
  members of one name wins; a hard link made to an earlier one keeps that one.
* A hard link shares the inode of its target, also of one in a lower layer, also when the name that
  it was made to goes later. A target that is not there is an error. Like a path, it is taken
  relative to the root of the image, never of the host: it cannot lead out.
* A parent directory that no layer has is made: 0755, owned by root, time 0 (tools that extract
  leave the time of the extraction; a tree should be the same whenever it is built).
* An entry below a symbolic link *of the same layer* is made where the link leads inside the image,
  as every extraction does (tar, umoci, podman). Below anything else that is no directory it is an
  error. But what a *lower* layer has there, link or file, gives way to a directory, as overlayfs
  shows it and as podman and docker run it; umoci, which extracts all layers into one folder,
  follows the links of lower layers too.
"""

import os
import stat
from collections.abc import Iterable
from typing import Final

from .entry import HARD_LINK, Entry
from .whiteout import Whiteout

_SYMLINKS_MAX = 40  # as the kernel has it
# A member of 4 KiB can imply 2,000 directories: what a hostile archive can make us hold is bounded.
_OBJECTS_MAX = 5_000_000
_IMPLIED: Final = Entry(0, b"", stat.S_IFDIR | 0o755, 0, 0, 0, 0, 0, 0, b"", 0)
_WHITEOUT: Final = Entry(0, b"", stat.S_IFCHR, 0, 0, 0, 0, 0, 0, b"", 0)


class MergeError(ValueError):
    """The layers do not fit together: a hard link to nothing, an entry below a file."""

    def __init__(self, reason: str, entry: Entry | None = None) -> None:
        super().__init__(f"{reason} (member {_shown(entry.path)})" if entry else reason)


class Node:
    """An object of the tree while it is being put together.

    Attributes:
        entry: Its attributes; a directory's give way to those of an upper layer.
        layer: Position in the chain of the layer that `entry` is from.
        children: Of a directory, by name; None for everything else.
        is_opaque: Of a directory whose tree keeps whiteouts: it hides what lies below the tree.
        ino: Number of its inode once all layers are applied; 0 before.
        nlink: Count of its links once all layers are applied.
    """

    __slots__ = ("children", "entry", "ino", "is_opaque", "layer", "nlink")

    def __init__(self, entry: Entry, layer: int) -> None:
        self.entry = entry
        self.layer = layer
        self.children: dict[bytes, Node] | None = {} if stat.S_ISDIR(entry.mode) else None
        self.is_opaque = False
        self.ino = 0
        self.nlink = 0

    @property
    def is_implied(self) -> bool:
        """Whether it is a directory that no layer names."""
        return self.entry is _IMPLIED

    @property
    def is_whiteout(self) -> bool:
        """Whether it says, in a tree that keeps whiteouts, that there is nothing here."""
        return self.entry is _WHITEOUT


class MergedTree:
    """The layers applied so far.

    Args:
        keeps_whiteouts: The tree is going to lie on top of something else: whiteouts and opaque
            directories do not only take away what the layers themselves have, they stay.
    """

    def __init__(self, *, keeps_whiteouts: bool = False) -> None:
        self._keeps_whiteouts = keeps_whiteouts
        self.root = Node(_IMPLIED, 0)
        self._top: dict[bytes, Node] = {}
        self.root.children = self._top
        self._layer = -1
        self._objects = 0
        # Contents of the directories that this layer's entries lie in, so that each path is walked
        # once. Emptied whenever a path may have come to mean another directory.
        self._directories: dict[bytes, dict[bytes, Node]] = {}

    def apply(self, whiteouts: Iterable[Whiteout], entries: Iterable[Entry]) -> None:
        """Put one more layer on top; raises MergeError."""
        self._layer += 1
        self._directories = {}
        for whiteout in whiteouts:
            self._hide(whiteout)
        for entry in entries:
            self._put(entry)
            self._objects += 1
            if self._objects > _OBJECTS_MAX:
                raise MergeError(f"more than {_OBJECTS_MAX:,} objects in one image", entry)

    def _hide(self, whiteout: Whiteout) -> None:
        if self._keeps_whiteouts:
            self._keep(whiteout)
            return
        parent, _, name = whiteout.path.rpartition(b"/")
        contents = self._contents(whiteout.path if whiteout.is_opaque else parent)
        if contents is None:
            return  # an image may hide what its lower layers never had
        if whiteout.is_opaque:
            contents.clear()
        else:
            contents.pop(name, None)

    def _keep(self, whiteout: Whiteout) -> None:
        """Put a whiteout into the tree, with the directories above it."""
        parent, _, name = whiteout.path.rpartition(b"/")
        entry = _WHITEOUT._replace(path=whiteout.path)
        siblings = self._walk(parent, entry, is_made=True)
        if not whiteout.is_opaque:
            siblings[name] = Node(_WHITEOUT, self._layer)
            self._objects += 1
            return
        directory = siblings.get(name) if name else self.root
        if directory is None or directory.children is None:
            directory = siblings[name] = Node(_IMPLIED, self._layer)
        if directory.children is not None:
            directory.children.clear()
        directory.is_opaque = True

    def _contents(self, path: bytes) -> dict[bytes, Node] | None:
        """Return what is in the directory at a path, following no link; None if there is none."""
        children: dict[bytes, Node] | None = self._top
        for name in reversed(_parts(path)):
            child = children.get(name) if children is not None else None
            if child is None:
                return None
            children = child.children
        return children

    def _put(self, entry: Entry) -> None:
        parent, _, name = entry.path.rpartition(b"/")
        if not name:
            if not stat.S_ISDIR(entry.mode):
                raise MergeError("the root directory as something else", entry)
            self.root.entry, self.root.layer = entry, self._layer
            return
        siblings = self._directories.get(parent)
        if siblings is None:
            siblings = self._directories[parent] = self._walk(parent, entry, is_made=True)
        new = self._link_target(entry) if entry.flags & HARD_LINK else Node(entry, self._layer)
        old = siblings.get(name)
        if old is not None:
            if old.children is not None and new.children is not None:
                old.entry, old.layer = entry, self._layer
                return
            if old.children is not None or stat.S_ISLNK(old.entry.mode):
                self._directories = {}
            # What lies below the tree and was hidden before a directory came stays hidden.
            if self._keeps_whiteouts and old.children is None and new.children is not None:
                new.is_opaque = True
        siblings[name] = new

    def _link_target(self, entry: Entry) -> Node:
        """Return the object that a hard link is one more name of."""
        parent, _, name = entry.target.rpartition(b"/")
        node = self._walk(parent, entry, is_made=False).get(name)
        if node is None:
            raise _no_target(entry)
        if node.children is not None:
            raise MergeError(f"a hard link to a directory, {_shown(entry.target)}", entry)
        return node

    def _walk(self, path: bytes, entry: Entry, *, is_made: bool) -> dict[bytes, Node]:
        """Return what is in the directory at a path.

        Args:
            path: Of the directory.
            entry: On whose behalf, for the error.
            is_made: Missing directories are made, and take the place of what a lower layer has;
                otherwise nothing changes, and the links of lower layers are followed too.
        """
        trail: list[dict[bytes, Node]] = []
        contents = self._top
        rest, followed = _parts(path), 0
        while rest:
            name = rest.pop()
            if name == b"..":  # out of a link's target; above the root is the root
                contents = trail.pop() if trail else contents
                continue
            child = contents.get(name)
            is_own = child is not None and child.layer == self._layer
            if child is not None and stat.S_ISLNK(child.entry.mode) and (is_own or not is_made):
                followed += 1
                if followed > _SYMLINKS_MAX:
                    raise MergeError("an entry below a loop of symbolic links", entry)
                if child.entry.target[:1] == b"/":
                    trail, contents = [], self._top
                rest += _parts(child.entry.target)
                continue
            if child is None or child.children is None:
                if not is_made:
                    raise _no_target(entry)
                if is_own and child is not None and not child.is_whiteout:
                    raise MergeError("an entry below something that is no directory", entry)
                hidden = child is not None
                child = contents[name] = Node(_IMPLIED, self._layer)
                child.is_opaque = hidden and self._keeps_whiteouts
                self._objects += 1
            trail.append(contents)
            contents = child.children if child.children is not None else {}
        return contents


def number_inodes(root: Node) -> tuple[list[Node], list[tuple[int, bytes, int]]]:
    """Give each object its inode number and count of links.

    Numbers run breadth first and by name. So they depend on nothing but the tree, and a directory's
    children lie side by side. A directory has 2 links and one for each subdirectory, as on ext4:
    `find` and others take a count of 2 for "no subdirectories here".

    Returns:
        The objects in the order of their numbers, from 1, and the rows (directory, name, object).
    """
    nodes, dirents = [root], []
    root.ino, root.nlink = 1, 2
    for directory in nodes:  # grows on the way
        if not directory.children:
            continue
        for name, child in sorted(directory.children.items()):
            if child.children is not None:
                child.nlink = 2
                directory.nlink += 1
            else:
                child.nlink += 1
            if not child.ino:
                nodes.append(child)
                child.ino = len(nodes)
            dirents.append((directory.ino, name, child.ino))
    return nodes, dirents


def _parts(path: bytes) -> list[bytes]:
    """Return the parts of a path, the first one last."""
    return [part for part in reversed(path.split(b"/")) if part not in (b"", b".")]


def _no_target(entry: Entry) -> MergeError:
    return MergeError(f"a hard link to {_shown(entry.target)}, which the image lacks", entry)


def _shown(path: bytes) -> str:
    return repr(os.fsdecode(path))
