"""Images of the store to a registry: the whole of `rootless push` but its printing."""

from rootless.errors import InvalidInput
from rootless.image import names
from rootless.image.store import Store
from rootless.oci.digest import Digest
from rootless.oci.reference import LOCALHOST, parse_reference
from rootless.transfer.copy import Options, copy
from rootless.transfer.places import REGISTRY, STORE, Place, parse_place
from rootless.transfer.progress import Progress

__all__ = ["Options", "place_for", "push"]


def place_for(store: Store, name: str, destination: str) -> Place:
    """Return where an image goes: what is given, else the registry of its own name.

    Raises:
        NotFound: No such image.
        InvalidInput: Neither names a registry.
    """
    own = names.find(store, name)[0].reference
    if destination:
        place = parse_place(destination)
        if place.transport != STORE:
            return place
        return Place(REGISTRY, destination)
    if not own:
        raise InvalidInput("the image has no name", name, "give a DESTINATION")
    if parse_reference(own).domain == LOCALHOST:
        fix = "give a DESTINATION: HOST/NAME[:TAG]"
        raise InvalidInput("the image's name has no registry", own, fix)
    return Place(REGISTRY, own)


def push(store: Store, name: str, place: Place, options: Options, progress: Progress) -> Digest:
    """Send an image; return the digest that it has there.

    Raises:
        NotFound: No such image.
        InvalidInput: The registry lets nobody in, or the image cannot go there.
        RegistryError: The registry fails.
        IntegrityError: A layer of the store is damaged.
    """
    return copy(store, Place(STORE, name), place, options, progress)
