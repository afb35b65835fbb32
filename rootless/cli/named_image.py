"""The image that a word means, and its other names: what commands that show an image begin with."""

from rootless.image import meant, names
from rootless.image.names import Image
from rootless.image.store import Store
from rootless.paths import Paths


def named_image(word: str) -> tuple[Store, Image, tuple[str, ...]]:
    """Return the store, the image and its names; raises as `meant.resolve`."""
    store = Store.open(Paths.from_environment(), create=False)
    image = meant.resolve(store, word)
    references = tuple(
        entry.reference
        for _, listed in names.entries_of_all(store)
        for entry in listed
        if entry.reference and entry.manifest_digest == image.manifest_digest
    )
    return store, image, references


def all_images(store: Store) -> list[Image]:
    """Return every image of the stores that has a name."""
    return [
        names.read_image(place, entry)
        for place, listed in names.entries_of_all(store)
        for entry in listed
        if entry.reference
    ]
