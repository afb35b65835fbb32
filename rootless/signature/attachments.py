"""The signatures that a registry has of an image: cosign's SIGNATURE_SPEC and BUNDLE_SPEC.

Under the tag `sha256-HEX.sig` beside the image, as cosign and containers/image (its "sigstore
attachments") write them; or as referrers, of which newer versions of cosign make bundles. Who runs
the registry is not trusted: what is too large, too many or malformed is passed over with the
reason, and counts as no signature.
"""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Protocol

from rootless.errors import IntegrityError, InvalidInput, NotFound
from rootless.oci.descriptor import Descriptor, parse_descriptor
from rootless.oci.digest import Digest
from rootless.oci.document import parse_document
from rootless.signature.signed import (
    PAYLOAD_MAX,
    Signature,
    bundle_signature,
    simple_signature,
)

SIMPLE_SIGNING_TYPE = "application/vnd.dev.cosign.simplesigning.v1+json"
SIGNATURE_ANNOTATION = "dev.cosignproject.cosign/signature"
BUNDLE_TYPE = "application/vnd.dev.sigstore.bundle.v0.3+json"
COSIGN_TYPE = "application/vnd.dev.cosign.artifact.sig.v1+json"

SIGNATURES_MAX = 100
_TOO_MANY = f"there are more than {SIGNATURES_MAX} signatures"
_BUNDLE_PREFIX = "application/vnd.dev.sigstore.bundle"
_REFERRER_TYPES = (BUNDLE_TYPE, COSIGN_TYPE)


class Document(Protocol):
    """A manifest."""

    @property
    def data(self) -> bytes:
        """Its bytes."""


class Source(Protocol):
    """The repository that an image comes from."""

    async def manifest(self, wanted: str) -> Document:
        """Return a manifest by tag or digest; raises NotFound."""

    async def read_blob(self, descriptor: Descriptor, limit: int) -> bytes:
        """Return a blob of at most *limit* bytes, checked against its digest."""

    async def referrers(self, digest: Digest, artifact_type: str) -> Sequence[Descriptor]:
        """Return what refers to a manifest."""


async def signatures(
    source: Source, digest: Digest, faults: list[str]
) -> AsyncGenerator[Signature]:
    """Yield the signatures of a manifest or index; reasons for those that are none to *faults*."""
    left = SIGNATURES_MAX
    async with aclosing(_manifests(source, digest, faults)) as manifests:
        async for manifest in manifests:
            for layer in _layers(manifest, faults):
                if left == 0:
                    faults.append(_TOO_MANY)
                    return
                left -= 1
                try:
                    yield await _signature(source, layer)
                except (InvalidInput, IntegrityError, NotFound) as error:
                    faults.append(str(error))


def _layers(manifest: Document, faults: list[str]) -> list[Descriptor]:
    try:
        node = parse_document(manifest.data, "signature manifest")
        return [parse_descriptor(item) for item in node.members("layers")]
    except InvalidInput as error:
        faults.append(str(error))
        return []


async def _manifests(source: Source, digest: Digest, faults: list[str]) -> AsyncGenerator[Document]:
    wanted = [digest.replace(":", "-") + ".sig"]
    for artifact_type in _REFERRER_TYPES:
        try:
            found = await source.referrers(digest, artifact_type)
        except (InvalidInput, IntegrityError, NotFound) as error:
            faults.append(str(error))
            continue
        wanted += [descriptor.digest for descriptor in found]
    for count, each in enumerate(wanted):
        if count > SIGNATURES_MAX:
            faults.append(_TOO_MANY)
            return
        try:
            yield await source.manifest(each)
        except NotFound:
            continue
        except (InvalidInput, IntegrityError) as error:
            faults.append(str(error))


async def _signature(source: Source, layer: Descriptor) -> Signature:
    if layer.media_type.startswith(_BUNDLE_PREFIX):
        return bundle_signature(await source.read_blob(layer, PAYLOAD_MAX))
    if layer.media_type != SIMPLE_SIGNING_TYPE:
        raise InvalidInput("signature of an unknown media type", layer.media_type)
    value = layer.annotations.get(SIGNATURE_ANNOTATION)
    if value is None:
        raise InvalidInput("signature without a value", layer.digest)
    return simple_signature(await source.read_blob(layer, PAYLOAD_MAX), value)
