"""Merged trees: one for each chain of layers, built once; and files read out of them."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from fuse.contents import TarContents
from fuse.database import IndexFormatError
from fuse.merge import merge
from fuse.tree import Tree
from rootless.errors import IntegrityError, NotFound, StoreError
from rootless.image import lock
from rootless.image.names import Image
from rootless.image.store import Store
from rootless.image.store_errors import explain
from rootless.linux.private_folder import make_private
from rootless.oci.digest import chain_id, hex_of
from rootless.oci.image_config import ImageConfig

_MAX_READ = 16 << 20  # passwd and group files; anything larger is read through the mount


def ensure_tree(store: Store, config: ImageConfig) -> Path:
    """Return the merged tree of an image; it is there since the load, else it is built now.

    One that the store cannot take, as it is full or read-only, is built beside what is live.

    Raises:
        NotFound: A layer is missing.
        StoreError: The tree is missing and can be built nowhere.
    """
    chain = chain_id(config.diff_ids)
    path = store.find(store.tree_path(chain))
    if path.exists():
        return path
    indexes = _found(store, [store.index_path(diff_id) for diff_id in config.diff_ids])
    try:
        store.make()
        with lock.exclusive(store.lock_path(f"tree-{hex_of(chain)}")):
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


def build(indexes: Sequence[Path], out: Path, *, prefix: bytes = b"") -> None:
    """Merge indexes of layers, lowest first, into *out*; raises StoreError, IntegrityError.

    With a *prefix* only what is below it, which becomes the root.
    """
    with explain(out):
        try:
            merge(indexes, out, prefix=prefix)
        except ValueError as error:
            raise IntegrityError("layers do not fit together", str(error)) from error


def layer_paths(store: Store, config: ImageConfig) -> tuple[Path, ...]:
    """Return the layers' tars, lowest first; raises NotFound where one is missing."""
    return _found(store, [store.blob_path(diff_id) for diff_id in config.diff_ids])


def _found(store: Store, wanted: Sequence[Path]) -> tuple[Path, ...]:
    """Return where objects of the store, or of an additional one, lie; raises NotFound."""
    paths = tuple(store.find(path) for path in wanted)
    for path in paths:
        if not path.exists():
            places = ", ".join(str(other.root) for other in store.others)
            fix = f"nor is it in {places}: {_RELOAD}" if places else _RELOAD
            raise NotFound("layer missing from the store", str(path), fix)
    return paths


@contextmanager
def open_tree(path: Path) -> Iterator[Tree]:
    """Give a merged tree; raises StoreError, and IntegrityError where it turns out damaged."""
    try:
        with explain(path):
            tree = Tree.open(path)
        with tree:
            yield tree
    except IndexFormatError as error:
        fix = "remove the file, it is made again"
        raise IntegrityError("damaged tree in the store", str(error), fix) from error


def read_file(store: Store, image: Image, inner_path: bytes) -> bytes | None:
    """Return a small file of an image; None where there is no regular file of that name.

    Symbolic links are followed inside the image's root.
    """
    return read_from(
        ensure_tree(store, image.config), layer_paths(store, image.config), inner_path, _MAX_READ
    )


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


_RELOAD = "load the image again"
