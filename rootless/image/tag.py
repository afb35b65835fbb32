"""Further names for an image of the store."""

from collections.abc import Sequence
from dataclasses import replace

from rootless.image import lock, names
from rootless.image.store import Store


def tag(store: Store, image: str, new_names: Sequence[str]) -> None:
    """Give an image further names; an image that had one of them before keeps its ID only.

    Between the look-up and the naming nothing is collected.

    Raises:
        NotFound: There is no such image.
        InvalidInput: A name is none.
        StoreError: The store cannot be written.
    """
    references = [names.name_for_storing(name) for name in new_names]
    with lock.shared(store.lock_path(lock.STORE_LOCK)):
        entry = names.find(store, image)[0]
        names.add(store, [replace(entry, reference=reference) for reference in references])
