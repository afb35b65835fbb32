"""Which members a COPY's layer has, and where: the rules for its destination.

A destination is a folder where it ends in a slash or is one in the image, and where more than one
thing, a folder's contents or an archive go there. Anything else is the new name of the one file.
What is there already keeps its attributes, but what is copied onto it: a folder onto a folder gives
it its own, anything else takes the place of what was there. Folders that are missing are made.
"""

import os
import posixpath
import stat
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from rootless.build.copy_source import CopySource, Node
from rootless.build.destination import Destination, Place
from rootless.build.selection import Picked
from rootless.errors import InvalidInput


@dataclass(frozen=True, slots=True)
class Planned:
    """One member of the layer.

    Attributes:
        path: In the image.
        node: What it is; None for a folder that had to be made.
        source: Where that is.
    """

    path: bytes
    node: Node | None = None
    source: CopySource | None = None

    @property
    def is_folder(self) -> bool:
        """Whether it is a folder."""
        return self.node is None or stat.S_ISDIR(self.node.mode)


@dataclass(frozen=True, slots=True)
class Unpacked:
    """An archive, whose members go into the layer.

    Attributes:
        folder: Where in the image.
        node: The archive.
        source: Where that is.
    """

    folder: bytes
    node: Node
    source: CopySource


Arranged = tuple[Planned, ...] | Unpacked
"""Members of the layer, or an archive with more of them."""


class Arrangement:
    """Puts things where they go in the image.

    Args:
        destination: The image so far.

    Attributes:
        replaced: Links of the image that give way to folders.
    """

    def __init__(self, destination: Destination) -> None:
        self.replaced: list[bytes] = []
        self._destination = destination
        self._done: list[Arranged] = []
        self._members: dict[bytes, Planned] = {}
        self._there: set[bytes] = set()  # folders of the image, and of what comes before

    def arranged(self) -> list[Arranged]:
        """Return everything in the order in which the layer has it."""
        return [*self._done, tuple(self._members.values())]

    def put_all(
        self, picked: Sequence[Picked], archives: Collection[Node], target: str, *, is_folder: bool
    ) -> None:
        """Put what was picked to where it goes.

        Args:
            picked: All that the sources mean.
            archives: Those that are unpacked.
            target: The destination, absolute.
            is_folder: It must be one, whatever is picked.

        Raises:
            InvalidInput: Something is in the way.
        """
        only = picked[0]
        must_be_folder = is_folder or len(picked) > 1 or only.is_folder or only.node in archives
        place = self._destination.resolve(os.fsencode(target))
        if place.inode is not None and not place.is_folder and must_be_folder:
            raise InvalidInput("the destination is there and is no folder", target)
        if not must_be_folder and not place.is_folder:
            self._require(posixpath.dirname(place.path))
            self._put(place.path, only.node, only.source)
            return
        self._require(place.path)
        for each in picked:
            self._put_into(place, each, is_archive=each.node in archives)

    def _put_into(self, place: Place, each: Picked, *, is_archive: bool) -> None:
        folder = place.path
        for parent in each.parents:
            self._put(posixpath.join(place.path, parent.path), parent.node, each.source)
            folder = posixpath.join(place.path, parent.path)
        if is_archive:
            self._flush()  # what an archive brings follows
            self._done.append(Unpacked(folder, each.node, each.source))
        elif each.is_folder:
            for item in each.items:
                self._put(posixpath.join(folder, item.path), item.node, each.source)
        else:
            self._put(posixpath.join(folder, each.name), each.node, each.source)

    def _flush(self) -> None:
        self._done.append(tuple(self._members.values()))
        self._there |= {path for path, member in self._members.items() if member.is_folder}
        self._members = {}

    def _put(self, path: bytes, node: Node, source: CopySource) -> None:
        before = self._members.get(path)
        if before is not None and before.is_folder != stat.S_ISDIR(node.mode):
            self._drop(path)
        self._require(posixpath.dirname(path))
        if stat.S_ISDIR(node.mode) and before is None:
            self._note(path)
        self._members[path] = Planned(path, node, source)

    def _note(self, folder: bytes) -> None:
        inode = self._destination.look(folder)
        if inode is not None and stat.S_ISLNK(inode.mode):
            self.replaced.append(folder)

    def _drop(self, path: bytes) -> None:
        """Forget a member, and what was put into it."""
        inside = path + b"/"
        gone = [each for each in self._members if each == path or each.startswith(inside)]
        for each in gone:
            del self._members[each]

    def _require(self, folder: bytes) -> None:
        """See to it that a folder is there, and those above it."""
        if not folder:
            return
        member = self._members.get(folder)
        if member is not None:
            if member.is_folder:
                return
            self._drop(folder)
        elif folder in self._there:
            return
        else:
            inode = self._destination.look(folder)
            if inode is not None and stat.S_ISDIR(inode.mode):
                self._there.add(folder)
                return
        self._require(posixpath.dirname(folder))
        self._members[folder] = Planned(folder)
