"""A store that others may read: the permissions of its folders, and the trees of all its images."""

import os

from rootless.image import lock, names, trees
from rootless.image.lock import STORE_LOCK
from rootless.image.store import Store
from rootless.image.store_errors import explain

_SHARED = ("", "blobs", "blobs/sha256", "layers", "layers/sha256", "trees")
"""Files in them are 0644 from the beginning; what is being written, locked or run stays private."""


def share(store: Store) -> list[str]:
    """Let everybody read a store, now and after every change; return the names of its images.

    Raises:
        NotFound: A layer of an image is missing.
        StoreError: It is somebody else's, or cannot take a tree.
    """
    with lock.shared(store.lock_path(STORE_LOCK)):
        found = [names.read_image(store, entry) for entry in names.entries(store)]
        for image in found:
            trees.ensure_tree(store, image.config)
        _set(store, 0o755)
    return [image.reference or image.config_digest for image in found]


def unshare(store: Store) -> None:
    """Keep a store to oneself again; raises StoreError."""
    _set(store, 0o700)


def _set(store: Store, mode: int) -> None:
    for name in _SHARED:
        with explain(store.root / name):
            os.chmod(store.root / name, mode)
