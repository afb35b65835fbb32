"""What containers hold of the store: objects that stay when the last name of an image goes.

Each container has a folder in `containers/`, and in it a file `needs`: paths below the store, one
a line. So what it stands on, and what an image is made of when it is committed, outlives `rmi` and
a newer image of the same name.
"""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from rootless.image.names import Image
from rootless.image.store import Store
from rootless.image.store_errors import explain
from rootless.oci.digest import chain_id

DUE = "collection-due"
_CONTAINERS, _NEEDS = "containers", "needs"


def objects_of(store: Store, image: Image) -> Iterator[Path]:
    """Yield the files that an image consists of."""
    diff_ids = image.config.diff_ids
    yield store.blob_path(image.manifest_digest)
    yield store.blob_path(image.config_digest)
    if image.source_digest is not None:
        yield store.blob_path(image.source_digest)
    if image.index_digest is not None:
        yield store.blob_path(image.index_digest)
    yield from (store.blob_path(layer.digest) for layer in image.manifest.layers)
    yield from (store.index_path(diff_id) for diff_id in diff_ids)
    yield store.tree_path(chain_id(diff_ids))


def needs_of(store: Store, image: Image) -> tuple[str, ...]:
    """Return the lines of `needs` for a container of an image."""
    return tuple(str(path.relative_to(store.root)) for path in objects_of(store, image))


def held(store: Store) -> Iterator[Path]:
    """Yield what containers hold."""
    folder = store.root / _CONTAINERS
    with explain(folder), suppress(FileNotFoundError, NotADirectoryError):
        for container in folder.iterdir():
            with suppress(FileNotFoundError, NotADirectoryError):
                lines = (container / _NEEDS).read_text(encoding="utf-8").splitlines()
                yield from (store.root / line for line in lines)


def note_due(root: Path) -> None:
    """Note that something may not be needed any more: whoever comes next collects it."""
    with suppress(OSError):
        (root / DUE).touch()
