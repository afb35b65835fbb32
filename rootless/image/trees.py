"""Merged trees: one for each chain of layers, built once; and files read out of them."""

import stat
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from fuse.contents import TarContents
from fuse.database import IndexFormatError
from fuse.pack_file import PackFormatError
from fuse.packed_tree import shift_tree
from fuse.tree import Tree
from rootless.errors import IntegrityError, StoreError
from rootless.image import forms, lock
from rootless.image.names import Image, Located
from rootless.image.store import Store
from rootless.image.store_errors import explain
from rootless.linux.private_folder import make_private
from rootless.oci.digest import Digest, chain_id, hex_of
from rootless.oci.image_config import ImageConfig

_MOST_GROWN = 12
_MAX_READ = 16 << 20  # passwd and group files; anything larger is read through the mount


def ensure_tree(store: Store, config: ImageConfig) -> Path:
    """Return the merged tree of an image; it is there since the load, else it is built now.

    One that the store cannot take, as it is full or read-only, is built beside what is live.

    Raises:
        NotFound: A layer is missing.
        StoreError: The tree is missing and can be built nowhere.
    """
    return merged(store, config.diff_ids).tree


def layer_paths(store: Store, config: ImageConfig) -> tuple[Path, ...]:
    """Return the layers' contents, lowest first; raises NotFound where one is missing."""
    return tuple(place.contents for place in forms.find_all(store, config.diff_ids))


def located(store: Store, diff_ids: Sequence[Digest], *, may_grow: bool = False) -> Located:
    """Return a chain's tree, built where it is not there, and its layers; raises as `ensure_tree`.

    Asked for together, as a layer may just now get another form. The tree may be a grown one: it
    means the same as a merged one, but its numbers are others.

    Args:
        store: Where the layers are.
        diff_ids: The layers, lowest first.
        may_grow: One that is not there is made of that of fewer layers, if there is one: in less
            time.
    """
    places = forms.find_all(store, diff_ids)
    path = store.find(forms.tree_path(store, diff_ids, places))
    if not path.exists():
        grown = _grown(store, diff_ids, places, makes_it=may_grow)
        path = grown or _built(store, hex_of(chain_id(diff_ids)), places, path)
    return Located(path, tuple(place.contents for place in places))


def merged(store: Store, diff_ids: Sequence[Digest]) -> Located:
    """Return the tree that the same layers always have, and the layers; raises as `ensure_tree`."""
    places = forms.find_all(store, diff_ids)
    path = store.find(forms.tree_path(store, diff_ids, places))
    if not path.exists():
        path = _built(store, hex_of(chain_id(diff_ids)), places, path)
    return Located(path, tuple(place.contents for place in places))


def relocated(store: Store, tree: Path, layers: Sequence[Path]) -> Located:
    """Return where layers that were located before are now, and the tree that fits them."""
    if all(layer.exists() for layer in layers) and tree.exists():
        return Located(tree, tuple(layers))
    return located(store, [forms.diff_id_of(layer) for layer in layers])


def _grown(
    store: Store, diff_ids: Sequence[Digest], places: Sequence[forms.Place], *, makes_it: bool
) -> Path | None:
    """Return a tree that was made of that of fewer layers; None where there is none."""
    if any(place.form is forms.Form.LAZY for place in places):
        return None
    there = store.find(store.grown_tree_path(chain_id(diff_ids)))
    if there.exists():
        return there
    return _made_of_fewer(store, diff_ids, places) if makes_it else None


def _made_of_fewer(
    store: Store, diff_ids: Sequence[Digest], places: Sequence[forms.Place]
) -> Path | None:
    """Make a tree of that of fewer layers; None where that cannot be, or is not worth while."""
    below = None
    for count in range(len(places), max(0, len(places) - _MOST_GROWN), -1):
        chain = chain_id(diff_ids[:count])
        candidates = (store.find(store.tree_path(chain)), store.grown_tree_path(chain))
        below = next((path for path in candidates if path.exists()), None)
        if below is not None:
            break
    if below is None:
        return None
    try:
        for number in range(count, len(places)):
            path = store.grown_tree_path(chain_id(diff_ids[: number + 1]))
            _grow(store, below, places[number].index, number, path)
            below = path
    except StoreError:  # as for one that is merged: there may be a place for that
        return None
    return below


def _grow(store: Store, below: Path, index: Path, number: int, path: Path) -> None:
    from fuse.grow import grow  # noqa: PLC0415 - of builds only

    with store.temp_for(path) as temp, explain(path):
        try:
            grow(below, index, number, temp.path)
        except IndexFormatError as error:
            fix = "remove the file, it is made again"
            raise IntegrityError("damaged tree in the store", str(error), fix) from error
        except ValueError as error:
            raise IntegrityError("layers do not fit together", str(error)) from error
        temp.rename(path)


def _built(store: Store, chain: str, places: Sequence[forms.Place], path: Path) -> Path:
    indexes = [place.index for place in places]
    for index in indexes:
        if not index.exists():
            raise forms.missing(store, index)
    try:
        store.make()
        with lock.exclusive(store.lock_path(f"tree-{chain}")):
            if not path.exists():
                _build_kept(store, indexes, path)
    except StoreError:
        if store.runtime is None:
            raise
        return _passing_tree(store, indexes, store.runtime / "trees" / path.name)
    return path


def _build_kept(store: Store, indexes: Sequence[Path], path: Path) -> None:
    with store.temp_for(path) as temp:
        build(indexes, temp.path)
        temp.keep(path)


def _passing_tree(store: Store, indexes: Sequence[Path], path: Path) -> Path:
    """Build a tree in the run-time folder, unless that was done before."""
    with explain(path):
        make_private(path.parent.parent)
        path.parent.mkdir(mode=0o700, exist_ok=True)
    if not path.exists():
        _build_kept(store, indexes, path)
    return path


def build(
    indexes: Sequence[Path], out: Path, *, prefix: bytes = b"", keeps_whiteouts: bool = False
) -> None:
    """Merge indexes of layers, lowest first, into *out*; raises StoreError, IntegrityError.

    With a *prefix* only what is below it, which becomes the root; with *keeps_whiteouts* also what
    they take away of layers below them, in the form of overlayfs.
    """
    from fuse.merge import merge  # noqa: PLC0415 - a tree is made once, and read by each run

    with explain(out):
        try:
            merge(indexes, out, prefix=prefix, keeps_whiteouts=keeps_whiteouts)
        except ValueError as error:
            raise IntegrityError("layers do not fit together", str(error)) from error


def place_of(store: Store, image: Image) -> Located:
    """Return where the files of an image are: in the store, or in a file of the user's.

    Raises as `ensure_tree`.
    """
    return image.place or located(store, image.config.diff_ids)


def build_for_pack(tree: Path, places: Sequence[int], out: Path) -> None:
    """Write the tree of layers that lie one after the other in one file, each at its place.

    Raises StoreError, IntegrityError.
    """
    with explain(out):
        try:
            shift_tree(tree, out, places)
        except IndexFormatError as error:
            fix = "remove the file, it is made again"
            raise IntegrityError("damaged tree in the store", str(error), fix) from error


@contextmanager
def open_tree(path: Path) -> Iterator[Tree]:
    """Give a merged tree; raises StoreError, and IntegrityError where it turns out damaged."""
    try:
        with explain(path):
            tree = Tree.open(path)
        with tree:
            if tree.is_packed:
                tree.check_directories()
            yield tree
    except PackFormatError as error:
        raise IntegrityError("damaged pack", str(error), "copy or make it again") from error
    except IndexFormatError as error:
        fix = "remove the file, it is made again"
        raise IntegrityError("damaged tree in the store", str(error), fix) from error


def read_file(store: Store, image: Image, inner_path: bytes) -> bytes | None:
    """Return a small file of an image; None where there is no regular file of that name.

    Symbolic links are followed inside the image's root.
    """
    place = place_of(store, image)
    if inner_path in place.files:
        return place.files[inner_path]
    return read_from(place.tree, place.layers, inner_path, _MAX_READ)


def has_folder(store: Store, image: Image, inner_path: bytes) -> bool:
    """Return whether an image has a directory of that name; symbolic links are followed."""
    with looked_into(store, image) as look:
        return look.has_folder(inner_path)


def has_file(store: Store, image: Image, inner_path: bytes) -> bool:
    """Return whether an image has a regular file of that name; symbolic links are followed."""
    with looked_into(store, image) as look:
        return look.has_file(inner_path)


class Look:
    """An image's names, for who has several questions."""

    def __init__(self, place: Located, owned: ExitStack) -> None:
        self._place = place
        self._owned = owned
        self._tree: Tree | None = None

    def has_file(self, inner_path: bytes) -> bool:
        """Return whether there is a regular file of that name; symbolic links are followed."""
        if inner_path in self._place.files:
            return self._place.files[inner_path] is not None
        return stat.S_ISREG(self._mode(inner_path))

    def has_folder(self, inner_path: bytes) -> bool:
        """Return whether there is a directory of that name; symbolic links are followed."""
        known_as = inner_path + b"/"
        if known_as in self._place.files:
            return self._place.files[known_as] is not None
        return stat.S_ISDIR(self._mode(inner_path))

    def _mode(self, inner_path: bytes) -> int:
        if self._tree is None:
            self._tree = self._owned.enter_context(open_tree(self._place.tree))
        inode = self._tree.resolve(inner_path)
        return 0 if inode is None else inode.mode


@contextmanager
def looked_into(store: Store, image: Image) -> Iterator[Look]:
    """Give a look at an image's names; its tree is opened with the first question that needs it."""
    with ExitStack() as owned:
        yield Look(place_of(store, image), owned)


def read_from(
    tree_path: Path, layers: Sequence[Path], inner_path: bytes, limit: int
) -> bytes | None:
    """Return a file of at most *limit* bytes out of a tree; None where there is none."""
    with open_tree(tree_path) as tree:
        inode = tree.resolve(inner_path)
        if inode is None or inode.mode & 0o170000 != 0o100000:
            return None
        if inode.size > limit:
            where = inner_path.decode("utf-8", "backslashreplace")
            raise IntegrityError("file too large to be read from the image", where)
        extents = tree.extents(inode.ino) if inode.sparse else ()
    with explain(layers[inode.layer]), TarContents(layers) as lower:
        return lower.read(inode, extents, 0, inode.size)
