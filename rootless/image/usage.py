"""What takes up room in the store: images, what two of them share once, downloads, leftovers.

Sizes are those of the files; of files with holes in them, lazy layers, what they take on the disk.
"""

import fcntl
import os
import stat
from collections import Counter
from collections.abc import Collection, Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rootless.errors import IntegrityError, InvalidInput, NotFound
from rootless.image import build_cache, gc, holds, names
from rootless.image.describe import grouped
from rootless.image.names import Image
from rootless.image.store import Store, temp_name
from rootless.image.store_errors import explain

if TYPE_CHECKING:
    from rootless.oci.digest import Digest

_BLOCK = 512


@dataclass(frozen=True, slots=True)
class Usage:
    """How much there is of one kind.

    Attributes:
        total: How many.
        active: How many of them are in use.
        size: Bytes of all.
        reclaimable: Bytes that would be free without those that are not in use.
    """

    total: int = 0
    active: int = 0
    size: int = 0
    reclaimable: int = 0


@dataclass(frozen=True, slots=True)
class ImageUsage:
    """What one image takes up.

    Attributes:
        image: The image.
        references: All its names.
        size: Bytes of all its files in this store.
        shared: Bytes of those that another image has as well.
    """

    image: Image
    references: tuple[str, ...]
    size: int
    shared: int


@dataclass(frozen=True, slots=True)
class StoreUsage:
    """What takes up room.

    Attributes:
        each: The images.
        images: All of them, every file once.
        downloads: Blobs that have come in part.
        leftovers: What nothing leads to.
        builds: What builds keep, beside what is an image's as well.
    """

    each: tuple[ImageUsage, ...]
    images: Usage
    downloads: Usage
    leftovers: Usage
    builds: Usage


def store_usage(store: Store, in_use: Collection[str]) -> StoreUsage:
    """Look at the files of a store; raises StoreError.

    Args:
        store: The store, without additional ones.
        in_use: The IDs of images that containers were made from.
    """
    sizes: dict[Path, int] = {}
    files: dict[Digest, set[Path]] = {}
    found = grouped(_readable(store))
    for image, _ in found:
        for path in holds.objects_of(store, image):
            if path not in sizes:
                sizes[path] = size_of(path)
        own = {path for path in holds.objects_of(store, image) if sizes[path]}
        files[image.manifest_digest] = own
    often = Counter(path for own in files.values() for path in own)
    each = tuple(
        ImageUsage(
            image,
            references,
            sum(sizes[path] for path in files[image.manifest_digest]),
            sum(sizes[path] for path in files[image.manifest_digest] if often[path] > 1),
        )
        for image, references in found
    )
    active = [image for image, _ in found if image.config_digest in in_use]
    needed = set(holds.held(store)).union(*(files[image.manifest_digest] for image in active))
    images = Usage(
        len(found),
        len(active),
        sum(sizes[path] for path in often),
        sum(sizes[path] for path in often if path not in needed),
    )
    builds = _of_builds(store, often.keys())
    return StoreUsage(each, images, _of_files(_partial(store)), leftovers(store), builds)


def _readable(store: Store) -> Iterable[Image]:
    for entry in names.entries(store):
        with suppress(NotFound, IntegrityError, InvalidInput):  # `store verify` tells of it
            yield names.read_image(store, entry)


def size_of(path: Path) -> int:
    """Return what a file takes up, or a folder with all that is in it; 0 where there is none."""
    try:
        status = path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return 0
    if not stat.S_ISDIR(status.st_mode):
        return status.st_size
    with explain(path):
        return status.st_blocks * _BLOCK + sum(
            (Path(folder) / name).lstat().st_blocks * _BLOCK
            for folder, folders, names_there in os.walk(path)
            for name in (*folders, *names_there)
        )


def _of_files(paths: Iterable[Path]) -> Usage:
    """Return how much there is of files of which each is somebody's as long as he has locked it."""
    total, active, size, free = 0, 0, 0, 0
    for path in paths:
        total += 1
        size += size_of(path)
        if _is_locked(path):
            active += 1
        else:
            free += size_of(path)
    return Usage(total, active, size, free)


def _of_builds(store: Store, others: Collection[Path]) -> Usage:
    """Return how much there is of what builds keep and nothing among *others* is."""
    kept = [*build_cache.kept(store), *build_cache.mounts(store)]
    layers = set(build_cache.held(store)).difference(others)
    size = sum(map(size_of, (*kept, *layers)))
    return Usage(len(kept), 0, size, size)


def leftovers(store: Store) -> Usage:
    """Return how much there is that nothing leads to, files of killed commands among it."""
    return _of_files(_leftovers(store))


def _partial(store: Store) -> Iterable[Path]:
    return _listed(store.root / "partial")


def _leftovers(store: Store) -> Iterable[Path]:
    yield from gc.unneeded(store)
    for folder in gc.folders(store):
        yield from (path for path in _listed(folder) if temp_name(path.name))


def _listed(folder: Path) -> list[Path]:
    with explain(folder), suppress(FileNotFoundError, NotADirectoryError):
        return [folder / name for name in os.listdir(folder)]
    return []


def _is_locked(path: Path) -> bool:
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:
        return False
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(fd)
    return False
