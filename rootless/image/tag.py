"""Further names for an image of the store."""

from collections.abc import Sequence
from dataclasses import replace

from rootless.image import lock, names
from rootless.image.store import Store
from rootless.oci.document import MAX_CONFIG_BYTES


def tag(store: Store, image: str, new_names: Sequence[str]) -> None:
    """Give an image further names; an image that had one of them before keeps its ID only.

    Between the look-up and the naming nothing is collected. Of an image in an additional store the
    documents come into this one, and the layers stay where they are.

    Raises:
        NotFound: There is no such image.
        InvalidInput: A name is none.
        StoreError: The store cannot be written.
    """
    references = [names.name_for_storing(name) for name in new_names]
    with lock.shared(store.lock_path(lock.STORE_LOCK)):
        entry = names.find(store, image)[0]
        for digest in entry.documents():
            store.write_blob(store.read_blob(digest, MAX_CONFIG_BYTES))
        names.add(store, [replace(entry, reference=reference) for reference in references])
