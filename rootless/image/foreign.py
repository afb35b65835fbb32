"""Squashfs images and SIF files that run in place: what is made of one, once, and kept.

Made are its merged tree and the table of its blocks, some bytes for each file of it. They are kept
in the store, in `foreign/`, under a name that stands for this file as it is: its path, device,
inode, size and time, and the image's superblock. So one that is replaced or moved is read anew.
Where the store cannot be written they go into the run-time folder, which is memory on most hosts.
"""

import hashlib
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from rootless.errors import StoreError
from rootless.image import apptainer, holds, lock, trees
from rootless.image.names import Image, Located
from rootless.image.source import read_error
from rootless.image.squashfs_layer import write_layer
from rootless.image.store import FOREIGN, TEMP_PREFIX, TREE_VERSION, Store, TempFile
from rootless.image.store_errors import explain
from rootless.linux.private_folder import check_private, make_private
from rootless.oci.descriptor import IMAGE_CONFIG, Descriptor
from rootless.oci.digest import Digest, hex_of, sha256_of
from rootless.oci.image_config import parse_image_config
from rootless.oci.manifest import Manifest
from rootless.paths import Paths
from rootless.squashfs import sif, superblock
from rootless.squashfs.image import SquashfsImage
from rootless.squashfs.window import Window

MEDIA_TYPE = "application/vnd.squashfs"
_DAY_S = 86400
_UNUSED_S = 30 * _DAY_S


@dataclass(frozen=True, slots=True)
class _Found:
    """An image in a file: its identity, and what the file says of it."""

    key: Digest
    path: Path
    window: Window
    architecture: str


def read_image(store: Store, fd: int, path: str) -> Image:
    """Return the image in an open file, once its tree is made.

    Raises:
        NotFound: The file cannot be read.
        InvalidInput: It holds what cannot be run in place: ext3, encrypted, of another version.
        IntegrityError: It is damaged.
        StoreError: There is no room for the tree.
    """
    try:
        found = _identify(fd, path)
    except OSError as error:
        raise read_error(path, error) from error
    return _image(found, _place(store, found, path))


def sweep(store: Store, *, older_than_s: float = _UNUSED_S) -> int:
    """Remove what was of no use for so long, a month, and no container needs; return the bytes."""
    folder = store.root / FOREIGN
    held = frozenset(holds.held(store))
    oldest = time.time() - older_than_s
    freed = 0
    with explain(folder), suppress(FileNotFoundError):
        # a tree before its table: none is left that has no table
        for path in sorted(folder.iterdir(), reverse=True):
            if path in held or path.name.startswith(TEMP_PREFIX):
                continue
            key = path.name.partition(".")[0]
            making = store.lock_path(f"{FOREIGN}-{key}")
            with suppress(FileNotFoundError), lock.exclusive_if_free(making) as is_free:
                status = path.stat()
                if is_free and status.st_mtime <= oldest:
                    path.unlink()
                    freed += status.st_size
    return freed


def _identify(fd: int, path: str) -> _Found:
    status = os.fstat(fd)
    start, size, architecture = 0, status.st_size, ""
    if sif.is_sif(os.pread(fd, superblock.SIZE, 0)):
        start, size, architecture = sif.primary_partition(fd, path)
    window = Window(fd, start, size, path)
    real = Path(path).resolve()
    who = f"{real}\0{status.st_dev} {status.st_ino} {status.st_size} {status.st_mtime_ns} {start}"
    key = hashlib.sha256(os.fsencode(who) + b"\0" + window.read_up_to(0, superblock.SIZE))
    return _Found(Digest(f"sha256:{key.hexdigest()}"), real, window, architecture)


def _place(store: Store, found: _Found, what: str) -> Located:
    """Return the tree and the chunk table of an image, made where they are not there yet."""
    own, passing = store.root / FOREIGN, _passing()
    for folder in (own, passing):
        place = _named(folder, found.key)
        if place.tree.exists():
            if folder == passing:
                check_private(folder)
                return replace(place, needs=())  # nothing of the store's
            _touch(place)
            return place
    image = SquashfsImage(found.window, what)
    try:
        with _locked(store, found.key) as folder:
            return _made(folder, image, found)
    except StoreError as error:
        if isinstance(error.__cause__, OSError) and os.access(own, os.W_OK):
            raise  # full, or failing: not read-only
    make_private(passing)
    return replace(_made(passing, image, found), needs=())


def _named(folder: Path, key: Digest) -> Located:
    tree = folder / f"{hex_of(key)}.v{TREE_VERSION}"
    table = folder / f"{hex_of(key)}.layer-chunks"
    return Located(tree, (table,), (tree, table))


@contextmanager
def _locked(store: Store, key: Digest) -> Iterator[Path]:
    """Give the store's folder, with nobody else making the same."""
    folder = store.root / FOREIGN
    with explain(folder):
        if not os.access(store.root, os.W_OK) and store.root.exists():
            raise StoreError("the store is read-only", str(store.root))
        store = Store.open(Paths.from_environment(), create=True)
        folder.mkdir(mode=0o700, exist_ok=True)
    sweep(store)
    with lock.exclusive(store.lock_path(f"{FOREIGN}-{hex_of(key)}")):
        yield folder


def _made(folder: Path, image: SquashfsImage, found: _Found) -> Located:
    place = _named(folder, found.key)
    if place.tree.exists():  # another was first
        return place
    (chunks,) = place.layers
    with explain(folder):
        index, table, tree = (TempFile(folder) for _ in range(3))
    with index, table, tree:
        with explain(folder):
            write_layer(image, str(found.path), index.path, table.path)
        trees.build([index.path], tree.path)
        table.keep(chunks)
        tree.keep(place.tree)
    return place


def _passing() -> Path:
    return Paths.from_environment().runtime / FOREIGN


def _touch(place: Located) -> None:
    """Note that it is of use, once a day: what is not goes with a collection."""
    with suppress(OSError):
        if time.time() - place.tree.stat().st_mtime > _DAY_S:
            for path in place.needs:
                os.utime(path)


def _image(found: _Found, place: Located) -> Image:
    block = superblock.read_superblock(found.window, str(found.path))
    data = apptainer.config_for(
        place, found.path, found.key, architecture=found.architecture, modified=block.modified
    )
    config_digest = sha256_of(data)
    layer = Descriptor(MEDIA_TYPE, found.key, found.window.size)
    manifest = Manifest(Descriptor(IMAGE_CONFIG, config_digest, len(data)), (layer,))
    config = parse_image_config(data)
    return Image(
        reference=str(found.path),
        manifest_digest=sha256_of(manifest.to_bytes()),
        config_digest=config_digest,
        config=config,
        size=found.window.size,
        created=config.created,
        manifest=manifest,
        place=place,
    )
