"""What nothing needs any more: temporary files of killed processes, objects that no name leads to.

Objects are collected under the lock "store", alone; loads hold it together. Where a load is at
work, the collection is noted as due and left to whoever comes next. Open files go on to serve live
containers: unlink(2) takes only names away.
"""

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from rootless.errors import Conflict, NotFound
from rootless.image import build_cache, holds, lock, names, partial
from rootless.image.store import DAMAGED, FOREIGN, Store, temp_name
from rootless.image.store_errors import explain
from rootless.linux import folder_lock
from rootless.linux.remove_tree import remove_tree
from rootless.oci.digest import parse_digest

_PATIENCE_S = 0.5
_OBJECT = re.compile(r"[0-9a-f]{64}(\..*)?")


def sweep(store: Store) -> int:
    """Remove temporary and lock files that no live process holds; return how many."""
    removed = 0
    for folder in folders(store):
        for path in _listed(folder):
            owner = temp_name(path.name)
            if owner and folder.parent.name == "lazy":
                removed += remove_folder(path) > 0
            elif owner:
                removed += _remove_if_free(path, path.with_name(owner))
            elif folder.name == "locks" and path.suffix == ".lock" and path.stem != lock.STORE_LOCK:
                removed += _remove_if_free(path, path)
    return removed


def collect(store: Store, patience_s: float = _PATIENCE_S) -> int:
    """Remove every object that no image and no container needs; return the bytes freed.

    Waits a moment for loads to end; if they do not, the collection is noted as due and 0 returned.
    """
    due = store.root / holds.DUE
    if not (store.root / "locks").exists():
        return 0  # no store was made yet
    try:
        with lock.exclusive_within(store.lock_path(lock.STORE_LOCK), patience_s):
            freed = sum(_remove(path) for path in unneeded(store)) + partial.sweep(store)
            with suppress(FileNotFoundError):
                due.unlink()
            return freed
    except Conflict:
        holds.note_due(store.root)
        return 0


def collect_if_due(store: Store) -> None:
    """Collect what a removal had to leave."""
    if is_due(store):
        collect(store)


def is_due(store: Store) -> bool:
    """Return whether a collection had to be left to whoever comes next."""
    return (store.root / holds.DUE).exists()


def unneeded(store: Store) -> Iterator[Path]:
    """Yield the objects that no image and no container needs; a load may be about to need them."""
    held = set(holds.held(store))
    needed = set(held)
    for image in _whole_images(store):
        needed.update(holds.objects_of(store, image))
    for folder in ("blobs/sha256", "layers/sha256", "lazy/sha256", "trees"):
        for path in _objects(store.root / folder):
            if path not in needed or (folder == "lazy/sha256" and _is_complete(store, path)):
                yield path
    for path in _objects(store.root / DAMAGED):
        blob = store.root / "blobs" / "sha256" / path.name
        if blob not in needed or blob.exists():
            yield path
    if store.runtime is not None:  # trees that the store could not take
        for path in _objects(store.runtime / "trees"):
            if store.root / "trees" / path.name not in held:
                yield path


def _objects(folder: Path) -> list[Path]:
    """Return what is named for a digest: with ROOTLESS_HOME=~ the user's own ~/trees lies there."""
    return [path for path in _listed(folder) if _OBJECT.fullmatch(path.name)]


def _is_complete(store: Store, folder: Path) -> bool:
    """Return whether a lazy layer's tar is there by now: its folder is of no use then."""
    return store.has_layer(parse_digest(f"sha256:{folder.name}", str(folder)))


def _whole_images(store: Store) -> Iterator[names.Image]:
    """Yield the images; one whose documents are gone needs nothing any more."""
    for entry in names.entries(store):
        with suppress(NotFound):
            yield names.read_image(store, entry)


def folders(store: Store) -> Iterator[Path]:
    """Yield the folders in which files are made under temporary names."""
    yield store.root
    for name in ("blobs/sha256", "layers/sha256", "lazy/sha256", "trees", "locks"):
        yield store.root / name
    yield store.root / FOREIGN
    yield store.root / build_cache.STEPS
    yield store.scratch


def _listed(folder: Path) -> list[Path]:
    with explain(folder):
        try:
            return [folder / name for name in os.listdir(folder)]
        except FileNotFoundError:
            return []


def _remove_if_free(path: Path, owner: Path) -> int:
    """Remove a file unless a live process has locked its owner."""
    with explain(path):
        try:
            fd = os.open(owner, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
        except FileNotFoundError:  # a journal without its database, or both just gone
            return 1 if owner != path and _remove(path) >= 0 else 0
        except OSError:  # a folder of somebody else's making
            return 0
        try:
            if not lock.try_lock(fd):
                return 0
            path.unlink(missing_ok=True)
            return 1
        finally:
            os.close(fd)


def _remove(path: Path) -> int:
    if path.is_dir():
        return remove_folder(path)
    with explain(path), suppress(FileNotFoundError):
        size = path.stat().st_size
        path.unlink()
        return size
    return 0


def remove_folder(path: Path) -> int:
    """Remove a layer that is not all there, unless somebody has locked it; return what it took."""
    with explain(path):
        fd = folder_lock.lock_dead(path)
        if fd is None:
            return 0
        try:
            size = sum(file.stat().st_blocks * 512 for file in path.iterdir())
            remove_tree(path)
            return size
        finally:
            os.close(fd)
