"""Folders that RUN --mount=type=cache keeps from build to build: `build-cache/mounts` in the store.

Each has the digest of its ID for a name. Whoever uses one has its lock: together with others
(shared), alone (locked), or alone with a folder of his own where another one is in use (private).
"""

import os
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from rootless.build.run_mounts import LOCKED, PRIVATE
from rootless.image import build_cache
from rootless.image.store import Store
from rootless.image.store_errors import explain
from rootless.linux.folder_lock import lock_dead, make_or_lock
from rootless.oci.digest import hex_of, sha256_of

_NAME_LENGTH = 32
_MOST_PRIVATE = 1000


def folder_of(store: Store) -> Path:
    """Return where they lie."""
    return store.root / build_cache.MOUNTS


@contextmanager
def opened(store: Store, cache_id: str, sharing: str) -> Iterator[Path]:
    """Give the folder of a cache, made where it is new, for as long as it is used."""
    name = hex_of(sha256_of(cache_id.encode("utf-8", "surrogateescape")))[:_NAME_LENGTH]
    path = folder_of(store) / name
    with explain(path):
        fd = (
            _private(path)
            if sharing == PRIVATE
            else make_or_lock(path, alone=sharing == LOCKED, wait=True)
        )
    try:
        yield Path(os.readlink(f"/proc/self/fd/{fd}"))
    finally:
        os.close(fd)


@contextmanager
def unused(paths: Iterable[Path]) -> Iterator[list[Path]]:
    """Give those of the folders that nobody uses, for as long as nobody can begin to."""
    with ExitStack() as held:
        found = []
        for path in paths:
            fd = lock_dead(path)
            if fd is not None:
                held.callback(os.close, fd)
                found.append(path)
        yield found


def _private(path: Path) -> int:
    for number in range(_MOST_PRIVATE):
        place = path if number == 0 else path.with_name(f"{path.name}-{number}")
        try:
            return make_or_lock(place, alone=True, wait=False)
        except BlockingIOError:
            continue
    return make_or_lock(path, alone=True, wait=True)
