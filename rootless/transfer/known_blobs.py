"""In which blobs, and from which repositories, the layers of the store came.

An image that was made on top of a pulled one needs nothing of that sent to the same registry again:
it has the blobs, under the digests that the pulled image's manifest says.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain

from rootless.errors import RootlessError
from rootless.image import names
from rootless.image.store import Store
from rootless.oci.descriptor import Descriptor
from rootless.oci.digest import Digest
from rootless.oci.document import MAX_MANIFEST_BYTES
from rootless.oci.manifest import parse_manifest
from rootless.oci.reference import Reference, parse_reference
from rootless.transfer.made_layers import MadeLayers


@dataclass(frozen=True, slots=True)
class KnownBlob:
    """A layer as it came.

    Attributes:
        diff_id: Of the layer.
        descriptor: Of the blob.
        reference: Of the image; of a registry's where it has a domain.
    """

    diff_id: Digest
    descriptor: Descriptor
    reference: Reference


def known_blobs(store: Store) -> tuple[KnownBlob, ...]:
    """Return the layers of all images that came with a manifest; damaged images say nothing.

    What was pushed before is among them.
    """
    found: list[KnownBlob] = []
    for entry in chain(*(listed for _, listed in names.entries_of_all(store))):
        with suppress(RootlessError):
            found += _blobs_of(store, entry)
    for diff_id, made in MadeLayers(store).all():
        for repository in made.repositories:
            with suppress(RootlessError):
                descriptor = Descriptor(made.media_type, made.digest, made.size)
                found.append(KnownBlob(diff_id, descriptor, parse_reference(repository)))
    return tuple(found)


def by_diff_id(blobs: Sequence[KnownBlob]) -> Mapping[Digest, Sequence[Descriptor]]:
    """Return the blobs of each layer."""
    result: dict[Digest, dict[Digest, Descriptor]] = {}
    for blob in blobs:
        result.setdefault(blob.diff_id, {})[blob.descriptor.digest] = blob.descriptor
    return {diff_id: tuple(each.values()) for diff_id, each in result.items()}


def lenders(blobs: Sequence[KnownBlob], domain: str, digest: Digest) -> Sequence[str]:
    """Return the repositories of a registry that have, or had, a blob."""
    found = (
        blob.reference.path
        for blob in blobs
        if blob.descriptor.digest == digest and blob.reference.domain == domain
    )
    return tuple(dict.fromkeys(found))


def _blobs_of(store: Store, entry: names.Entry) -> Iterator[KnownBlob]:
    if entry.source_digest is None or not entry.reference:
        return
    reference = parse_reference(entry.reference)
    image = names.read_image(store, entry)
    manifest = parse_manifest(store.read_blob(entry.source_digest, MAX_MANIFEST_BYTES))
    for diff_id, descriptor in zip(image.config.diff_ids, manifest.layers, strict=True):
        yield KnownBlob(diff_id, descriptor, reference)
