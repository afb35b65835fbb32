"""Merged trees: one for each chain of layers, built once; and files read out of them."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from fuse.contents import TarContents
from fuse.database import IndexFormatError
from fuse.merge import merge
from fuse.pack_file import PackFormatError
from fuse.packed_tree import shift_tree
from fuse.tree import Tree
from rootless.errors import IntegrityError, NotFound
from rootless.image import lock
from rootless.image.names import Image, Place
from rootless.image.store import Store
from rootless.image.store_errors import explain
from rootless.oci.digest import chain_id, hex_of
from rootless.oci.image_config import ImageConfig

_MAX_READ = 16 << 20  # passwd and group files; anything larger is read through the mount


def ensure_tree(store: Store, config: ImageConfig) -> Path:
    """Return the merged tree of an image; it is there since the load, else it is built now.

    Raises:
        NotFound: A layer is missing.
        StoreError: The tree is missing and the store cannot be written.
    """
    chain = chain_id(config.diff_ids)
    path = store.tree_path(chain)
    if path.exists():
        return path
    with lock.exclusive(store.lock_path(f"tree-{hex_of(chain)}")):
        if not path.exists():
            for index in (store.index_path(diff_id) for diff_id in config.diff_ids):
                if not index.exists():
                    raise NotFound("layer missing from the store", str(index), _RELOAD)
            with store.temp_for(path) as temp:
                build([store.index_path(diff_id) for diff_id in config.diff_ids], temp.path)
                temp.keep(path)
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
    paths = tuple(store.blob_path(diff_id) for diff_id in config.diff_ids)
    for path in paths:
        if not path.exists():
            raise NotFound("layer missing from the store", str(path), _RELOAD)
    return paths


def place_of(store: Store, image: Image) -> Place:
    """Return where the files of an image are: in the store, or in a file of the user's.

    Raises:
        NotFound: A layer is missing.
        StoreError: The tree is missing and the store cannot be written.
    """
    if image.place is not None:
        return image.place
    return Place(ensure_tree(store, image.config), layer_paths(store, image.config))


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
    return read_from(place.tree, place.layers, inner_path, _MAX_READ)


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
