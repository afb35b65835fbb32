"""What containers hold of the store: objects that stay when the last name of an image goes.

Each container has a folder in `containers/`, and in it a file `needs`: paths below the store, one
a line. So what it stands on, and what an image is made of when it is committed, outlives `rmi` and
a newer image of the same name. One that goes with its run has its folder beside what is live.
"""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from rootless.errors import NotFound
from rootless.image import forms
from rootless.image.layers import ChunkTable
from rootless.image.names import Image
from rootless.image.store import Store
from rootless.image.store_errors import explain
from rootless.linux.folder_lock import is_locked
from rootless.oci.digest import chain_id

DUE = "collection-due"
_CONTAINERS, _NEEDS = "containers", "needs"


def objects_of(store: Store, image: Image) -> Iterator[Path]:
    """Yield the files of the store that an image consists of, in whatever form its layers are."""
    if image.place is not None:
        yield from image.place.needs
        return
    diff_ids = image.config.diff_ids
    yield store.blob_path(image.manifest_digest)
    yield store.blob_path(image.config_digest)
    if image.source_digest is not None:
        yield store.blob_path(image.source_digest)
    if image.index_digest is not None:
        yield store.blob_path(image.index_digest)
    yield from (store.blob_path(layer.digest) for layer in image.manifest.layers)
    for diff_id in diff_ids:
        yield store.index_path(diff_id)
        yield store.coded_path(diff_id)
        yield from _coded_blob(store.coded_path(diff_id))
        yield store.lazy_folder(diff_id)
    yield store.tree_path(chain_id(diff_ids))
    yield store.grown_tree_path(chain_id(diff_ids))
    with suppress(NotFound):
        yield forms.tree_path(store, diff_ids, forms.find_all(store, diff_ids))


def _coded_blob(table: Path) -> Iterator[Path]:
    """Yield the blob in which the bytes of a coded layer are, where the layer is one."""
    if table.exists():
        with suppress(OSError, ValueError), ChunkTable(table) as opened:
            yield Path(os.path.normpath(opened.data))


def needs_of(store: Store, image: Image) -> tuple[str, ...]:
    """Return the lines of `needs` for a container of an image."""
    return tuple(str(path.relative_to(store.root)) for path in objects_of(store, image))


def held(store: Store) -> Iterator[Path]:
    """Yield what containers and builds hold: containers that are kept, or run on this node."""
    from rootless.image import build_cache  # noqa: PLC0415 - a run notes what it needs, no more

    for path in (*(path for _, path in _held_by(store)), *build_cache.held(store)):
        yield path
        if path.suffix == ".layer-chunks":  # it may have been compressed since
            yield from _coded_blob(path)


def configs_held(store: Store) -> Iterator[tuple[str, Path]]:
    """Yield blobs that containers hold, each with who holds it: the image configs among them."""
    for folder, path in _held_by(store):
        if path.parent == store.root / "blobs" / "sha256":
            yield f"container {folder.name[:12]}", path


def _held_by(store: Store) -> Iterator[tuple[Path, Path]]:
    for folder in _folders(store):
        with explain(folder), suppress(FileNotFoundError, NotADirectoryError):
            lines = (folder / _NEEDS).read_text(encoding="utf-8").splitlines()
            yield from ((folder, store.root / line) for line in lines)


def _folders(store: Store) -> Iterator[Path]:
    kept = store.root / _CONTAINERS
    with explain(kept), suppress(FileNotFoundError, NotADirectoryError):
        yield from kept.iterdir()
    if store.runtime is not None:
        with suppress(OSError):
            yield from filter(is_locked, (store.runtime / "runs").iterdir())


def note_due(root: Path) -> None:
    """Note that something may not be needed any more: whoever comes next collects it."""
    with suppress(OSError):
        (root / DUE).touch()
