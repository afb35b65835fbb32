"""Images that nobody uses: those without a name, or all from which no container was made."""

from collections.abc import Callable, Collection
from contextlib import suppress

from rootless.errors import IntegrityError, InvalidInput, NotFound
from rootless.image import names
from rootless.image.names import Entry, Image
from rootless.image.remove import Removed, remove_entries
from rootless.image.store import Store

Wanted = Callable[[Image], bool]


def prune(
    store: Store, in_use: Collection[str], *, everything: bool, wanted: Wanted = lambda _: True
) -> Removed:
    """Remove images that are not in use; raises StoreError.

    Args:
        store: The store.
        in_use: The IDs of images that containers were made from.
        everything: Those with a name, too.
        wanted: Whether an image is one of those that are meant.
    """
    unused = [entry for entry in names.entries(store) if entry.config_digest not in in_use]
    gone = [entry for entry in unused if everything or not entry.reference]
    return remove_entries(store, [entry for entry in gone if _is_wanted(store, entry, wanted)])


def _is_wanted(store: Store, entry: Entry, wanted: Wanted) -> bool:
    with suppress(NotFound, IntegrityError, InvalidInput):  # damaged: `store verify` tells of it
        return wanted(names.read_image(store, entry))
    return False
