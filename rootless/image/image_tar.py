"""An image's whole file system as one tar, read forwards: its tree and its layers, unmounted."""

from collections.abc import Iterator

from rootless.image import trees
from rootless.image.layers import Squash, TarContents, UpperWalk
from rootless.image.merged_tar import merged_chunks
from rootless.image.names import Image
from rootless.image.store import Store
from rootless.image.store_errors import explain


def image_chunks(store: Store, image: Image) -> Iterator[bytes]:
    """Yield the tar; the same image gives the same bytes.

    Raises:
        NotFound: A layer is missing.
        StoreError: The store cannot be read.
    """
    paths = trees.layer_paths(store, image.config)
    with trees.open_tree(trees.ensure_tree(store, image.config)) as tree, explain(store.root):
        everyone = Squash((), 0)
        with TarContents(paths) as contents:
            yield from merged_chunks(UpperWalk(-1, tree, everyone, everyone), contents)
