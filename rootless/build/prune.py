"""What builds keep for the next one, removed: their steps, and the folders of cache mounts."""

from collections.abc import Callable

from rootless.build import cache_mounts, content_digest
from rootless.containers.run_folder import remove_owned_by_container
from rootless.image import build_cache, gc
from rootless.image.store import Store
from rootless.image.usage import size_of


def prune(store: Store, wanted: Callable[[int], bool] = lambda _: True) -> int:
    """Forget what builds keep, and collect what nothing needs then; return the bytes freed.

    Args:
        store: The store.
        wanted: As `build_cache.forget` has it.
    """
    return forget(store, wanted) + gc.collect(store)


def forget(store: Store, wanted: Callable[[int], bool] = lambda _: True) -> int:
    """Forget what builds keep; return the bytes of cache mounts that are free now."""
    found = [path for path in build_cache.mounts(store) if wanted(path.stat().st_mtime_ns)]
    with cache_mounts.unused(found) as mounts:
        freed = sum(map(size_of, mounts))
        remove_owned_by_container(mounts)
    build_cache.forget(store, wanted)
    content_digest.forget(store)
    return freed
