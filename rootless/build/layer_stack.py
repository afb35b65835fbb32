"""The names of an image while it is built: a merged tree, and the layers that are not in one yet.

Nothing but a RUN needs the merged tree of every step, and merging an image costs more than a COPY.
So a COPY asks the newest tree that there is, and the indexes of the few layers above it: what a
path is by OCI's rules for layers (`fuse.replay` has all of them).
"""

import stat
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Self

from rootless.image import forms, trees
from rootless.image.layers import LayerIndexReader
from rootless.image.store import Store
from rootless.image.store_errors import explain
from rootless.oci.digest import Digest


class Seen(NamedTuple):
    """What is at a path: type and permissions, and a link's target."""

    mode: int
    target: bytes = b""

    @property
    def is_folder(self) -> bool:
        """Whether it is a folder."""
        return stat.S_ISDIR(self.mode)


FOLDER = Seen(stat.S_IFDIR | 0o755)


class Covering:
    """One layer over others.

    Args:
        members: What it has.
        hidden: What it takes away of those below.
        emptied: Folders of which it hides what those below have in them.
    """

    def __init__(
        self,
        members: dict[bytes, Seen],
        hidden: frozenset[bytes] = frozenset(),
        emptied: frozenset[bytes] = frozenset(),
    ) -> None:
        self._members = dict(members)
        self._hidden = hidden
        self._emptied = emptied
        self.is_plain = all(self._add_folders_of(path) for path in members)

    @classmethod
    def of(cls, index: Path) -> Self:
        """Return the layer of an index; raises StoreError."""
        with explain(index), LayerIndexReader(index) as reader:
            members = {each.path: Seen(each.mode, each.target) for each in reader.entries()}
            marks = list(reader.whiteouts())
        return cls(
            members,
            frozenset(mark.path for mark in marks if not mark.is_opaque),
            frozenset(mark.path for mark in marks if mark.is_opaque),
        )

    def _add_folders_of(self, path: bytes) -> bool:
        """Note the folders that a member lies in; return whether they are all folders."""
        while path:
            path = path.rpartition(b"/")[0]
            known = self._members.get(path)
            if known is not None:
                return known.is_folder
            self._members[path] = FOLDER
        return True

    def look(self, path: bytes) -> Seen | None:
        """Return what it has at a path."""
        return self._members.get(path)

    def covers(self, path: bytes) -> bool:
        """Return whether what those below have at a path is gone."""
        if path in self._hidden:
            return True
        while path:
            path = path.rpartition(b"/")[0]
            member = self._members.get(path)
            is_other = member is not None and not member.is_folder
            if is_other or path in self._hidden or path in self._emptied:
                return True
        return False


@dataclass(frozen=True, slots=True)
class LayerStack:
    """An image's names.

    Attributes:
        tree: The merged tree of the lower layers; None where there are none.
        layers: Their contents, lowest first.
        above: The layers above it, the highest first.
    """

    tree: Path | None = None
    layers: tuple[Path, ...] = ()
    above: tuple[Covering, ...] = ()


def stack_of(store: Store, diff_ids: Sequence[Digest]) -> LayerStack:
    """Return the names of an image, with as little work as they take.

    Raises:
        NotFound: A layer is missing.
        StoreError: An index cannot be read, or a tree that is needed not be built.
    """
    places = forms.find_all(store, diff_ids)
    count = len(diff_ids)
    above: list[Covering] = []
    while count:
        tree = store.find(forms.tree_path(store, diff_ids[:count], places[:count]))
        if tree.exists():
            layers = tuple(place.contents for place in places[:count])
            return LayerStack(tree, layers, tuple(above))
        count -= 1
        covering = Covering.of(places[count].index)
        if not covering.is_plain:  # a member lies below a link of its own layer
            return merged(store, diff_ids)
        above.append(covering)
    return LayerStack(above=tuple(above))


def merged(store: Store, diff_ids: Sequence[Digest]) -> LayerStack:
    """Return the names of an image out of its merged tree, built where it is not there."""
    if not diff_ids:
        return LayerStack()
    place = trees.located(store, diff_ids)
    return LayerStack(place.tree, place.layers)
