"""What each layer of an image adds to those below it, changes, takes away and wastes.

The layers' indexes are applied one after the other, as the merge does, and the tree before and
after is compared. A file counts once whatever number of names it has. What an upper layer hides is
still in the image: its bytes are wasted, by the layer that hides them.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from stat import S_ISDIR, S_ISREG

from rootless.errors import IntegrityError
from rootless.image import forms
from rootless.image.layers import LayerIndexReader, MergedNode, MergedTree, MergeError
from rootless.image.names import Image
from rootless.image.store import Store
from rootless.image.store_errors import explain
from rootless.oci.digest import Digest
from rootless.oci.image_config import History, ImageConfig

ADDED, CHANGED, DELETED = "A", "C", "D"


@dataclass(frozen=True, slots=True, order=True)
class LayerChange:
    """One path that a layer is about.

    Attributes:
        path: Relative to the root, in bytes.
        kind: ADDED, CHANGED or DELETED; what was in a deleted directory is not named.
        mode: Type and permissions; of what was deleted, as they were.
        size: Bytes of a file that the layer brings; 0 for a name more of it, and for all else.
        hidden: Bytes of lower layers that can be seen no more.
    """

    path: bytes
    kind: str
    mode: int
    size: int
    hidden: int = 0


@dataclass(frozen=True, slots=True)
class LayerView:
    """One layer.

    Attributes:
        diff_id: Which.
        size: Of its tar.
        step: How it came to be; empty where the config does not say.
        changes: What it is about, by path.
    """

    diff_id: Digest
    size: int
    step: History
    changes: tuple[LayerChange, ...]

    @property
    def added(self) -> int:
        """Bytes of files that it brings."""
        return sum(change.size for change in self.changes)

    @property
    def wasted(self) -> int:
        """Bytes of the layers below that it hides."""
        return sum(change.hidden for change in self.changes)


def steps_of_layers(config: ImageConfig) -> tuple[History, ...]:
    """Return for each layer how it came to be; empty ones where the config tells of others."""
    steps = tuple(step for step in config.history if not step.empty_layer)
    if len(steps) != len(config.diff_ids):
        return (History(),) * len(config.diff_ids)
    return steps


def views(store: Store, image: Image) -> list[LayerView]:
    """Return an image's layers, the lowest first.

    Raises:
        NotFound: A layer is missing, as those of an image outside of the store are.
        IntegrityError: They do not fit together, or an index is damaged.
    """
    places = forms.find_all(store, image.config.diff_ids)
    tree = MergedTree()
    before: _Listing = {}
    found = []
    rows = zip(places, image.config.diff_ids, image.manifest.layers, strict=True)
    for (place, diff_id, layer), step in zip(rows, steps_of_layers(image.config), strict=True):
        _apply(tree, place)
        after = _listing(tree)
        changes = tuple(sorted(_changes(before, after)))
        found.append(LayerView(diff_id, layer.size, step, changes))
        before = after
    return found


_Listing = dict[bytes, tuple[MergedNode, int, int]]
"""By path, sorted: the object, its layer's number, its mode then (a directory's may change)."""


def _apply(tree: MergedTree, place: forms.Place) -> None:
    if not place.index.exists():
        raise IntegrityError("a layer has no index", str(place.index), "load the image again")
    try:
        with explain(place.index), LayerIndexReader(place.index) as index:
            tree.apply(index.whiteouts(), index.entries())
    except MergeError as error:
        raise IntegrityError("layers do not fit together", str(error)) from error
    except ValueError as error:  # of a damaged index
        raise IntegrityError("damaged index in the store", str(error)) from error


def _listing(tree: MergedTree) -> _Listing:
    found: _Listing = {}
    stack: list[tuple[bytes, MergedNode]] = [(b"", tree.root)]
    while stack:
        path, node = stack.pop()
        found[path] = (node, node.layer, node.entry.mode)
        if node.children:
            start = path + b"/" if path else b""
            stack += [(start + name, child) for name, child in node.children.items()]
    del found[b""]
    return {path: found[path] for path in sorted(found)}


def _changes(before: _Listing, after: _Listing) -> Iterator[LayerChange]:
    gone = _gone(before, after)
    fresh = {id(node) for node, _, _ in after.values()} - {
        id(node) for node, _, _ in before.values()
    }
    for path, (node, layer, mode) in after.items():
        old = before.get(path)
        if old is not None and old[0] is node and old[1:] == (layer, mode):
            continue
        size = 0
        if S_ISREG(mode) and id(node) in fresh:
            fresh.discard(id(node))
            size = node.entry.size
        kind = ADDED if old is None else CHANGED
        hidden = gone.pop(path, 0) if old is not None else 0
        yield LayerChange(path, kind, mode, size, hidden)
    deleted: dict[bytes, LayerChange] = {}
    for path in sorted(before.keys() - after.keys()):  # a directory before what it held
        top = _covering(path, deleted)
        if top in deleted:
            known = deleted[top]
            hidden = known.hidden + gone.get(path, 0)
            deleted[top] = LayerChange(top, DELETED, known.mode, 0, hidden)
        else:
            deleted[path] = LayerChange(path, DELETED, before[path][2], 0, gone.get(path, 0))
    yield from deleted.values()


def _gone(before: _Listing, after: _Listing) -> dict[bytes, int]:
    """Return by path the bytes of files that have no name any more; by one path of each."""
    left = {id(node) for node, _, _ in after.values()}
    found = {}
    for path, (node, _, mode) in before.items():
        if id(node) not in left and not S_ISDIR(mode):
            left.add(id(node))
            if S_ISREG(mode):
                found[path] = node.entry.size
    return found


def _covering(path: bytes, deleted: dict[bytes, LayerChange]) -> bytes:
    """Return the deleted directory that a path lies in; b"" where there is none."""
    parent = path.rpartition(b"/")[0]
    while parent:
        if parent in deleted:
            return parent
        parent = parent.rpartition(b"/")[0]
    return b""


def hidden_paths(layers: Sequence[LayerView], count: int) -> list[tuple[bytes, int, int]]:
    """Return the paths that waste most: path, bytes, how many layers hide something there."""
    found: dict[bytes, tuple[int, int]] = {}
    for layer in layers:
        for change in layer.changes:
            if change.hidden:
                size, times = found.get(change.path, (0, 0))
                found[change.path] = (size + change.hidden, times + 1)
    rows = [(path, size, times) for path, (size, times) in found.items()]
    return sorted(rows, key=lambda row: (-row[1], row[0]))[:count]


def efficiency(layers: Sequence[LayerView]) -> float:
    """Return which share of the files' bytes can be seen in the end, as dive has it; 1 for all."""
    added = sum(layer.added for layer in layers)
    return 1 - sum(layer.wasted for layer in layers) / added if added else 1.0
