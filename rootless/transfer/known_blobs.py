"""In which blobs the store's layers came or went, and which repositories have those.

An image that was made on top of a pulled one needs nothing of that sent to the same registry again:
it has the blobs, under the digests under which they came.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from rootless.errors import InvalidInput
from rootless.image.store import Store
from rootless.oci.descriptor import Descriptor
from rootless.oci.digest import Digest
from rootless.oci.reference import Reference, parse_reference
from rootless.transfer.made_layers import MadeLayers


@dataclass(frozen=True, slots=True)
class KnownBlob:
    """A blob with one of the store's layers in it.

    Attributes:
        diff_id: Of the layer.
        descriptor: Of the blob.
        reference: A repository that has it.
    """

    diff_id: Digest
    descriptor: Descriptor
    reference: Reference


def known_blobs(store: Store) -> tuple[KnownBlob, ...]:
    """Return the blobs that registries have; only such as were verified here."""
    found: list[KnownBlob] = []
    for diff_id, made in MadeLayers(store).all():
        if made.diff_id not in (None, diff_id):  # it has another tar in it
            continue
        descriptor = Descriptor(made.media_type, made.digest, made.size, made.annotations)
        for repository in made.repositories:
            with suppress(InvalidInput):
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
