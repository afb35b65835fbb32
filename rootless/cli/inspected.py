"""What `rootless inspect` shows of a name: a container's, or an image's."""

from typing import Any

from rootless.containers import describe as containers
from rootless.containers import record as records
from rootless.containers.listing import Listed
from rootless.containers.status import look
from rootless.errors import InvalidInput, NotFound
from rootless.image import describe as images
from rootless.image import meant, names
from rootless.image.store import Store
from rootless.oci.document import MAX_CONFIG_BYTES
from rootless.paths import Paths


def details(name: str, kind: str) -> dict[str, Any]:
    """Return the description of a container, or of an image.

    Args:
        name: What the user calls it.
        kind: "container", "image", or "" for whichever there is, a container first.
    """
    paths = Paths.from_environment()
    if kind != "image":
        try:
            record = records.find(paths, name)
            return containers.details(paths, Listed(record, look(paths, record)))
        except NotFound:
            if kind:
                raise
    store = Store.open(paths, create=False)
    try:
        image = meant.resolve(store, name)
    except NotFound as error:
        if kind:
            raise
        near = error.fix.startswith("did you mean")
        fix = error.fix if near else "'rootless ps -a' and 'rootless images' list what is there"
        raise NotFound("no such container or image", name, fix) from error
    named = (
        entry.reference
        for _, listed in names.entries_of_all(store)
        for entry in listed
        if entry.reference and entry.manifest_digest == image.manifest_digest
    )
    return images.details(image, tuple(named))


def document(name: str, which: str) -> bytes:
    """Return a document of an image, byte for byte."""
    store = Store.open(Paths.from_environment(), create=False)
    image = meant.resolve(store, name)
    digests = {
        "config": image.config_digest,
        "manifest": image.source_digest or image.manifest_digest,
        "stored": image.manifest_digest,
    }
    if which not in digests:
        raise InvalidInput("no such document", which, "one of " + ", ".join(digests))
    if image.place is not None:
        return meant.document(image, digests[which])
    return store.read_blob(digests[which], MAX_CONFIG_BYTES)
