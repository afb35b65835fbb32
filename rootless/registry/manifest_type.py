"""What a registry's document is: by what the registry says and what the document says itself.

The two must not contradict each other, and a document must not be both a manifest and an index:
who verifies one reading must not run the other (CVE-2021-41190, image-spec "Verification").
"""

from rootless.errors import IntegrityError, InvalidInput
from rootless.oci.descriptor import IMAGE_INDEX, IMAGE_INDEXES, MANIFEST, MANIFESTS
from rootless.oci.document import parse_document

# Docker's first format, with and without its signatures
_SCHEMA_1 = frozenset(
    {
        "application/vnd.docker.distribution.manifest.v1+json",
        "application/vnd.docker.distribution.manifest.v1+prettyjws",
    }
)


def media_type_of(data: bytes, content_type: str, what: str) -> str:
    """Return the media type of a manifest or an index.

    Args:
        data: The document.
        content_type: The registry's field Content-Type.
        what: The image, for errors.

    Raises:
        InvalidInput: Neither, or Docker's schema 1.
        IntegrityError: Both.
    """
    node = parse_document(data, "manifest")
    stated = content_type.partition(";")[0].strip().lower()
    own = node.text("mediaType")
    version = node.get("schemaVersion")
    if stated in _SCHEMA_1 or own in _SCHEMA_1 or (version is not None and version.value == 1):
        fix = "it has no config and no diff IDs; push the image anew with a current tool"
        raise InvalidInput("Docker's manifest schema 1 is not supported", what, fix)
    has_manifests, has_layers = (node.get(key) is not None for key in ("manifests", "layers"))
    if has_manifests and has_layers:
        raise IntegrityError("document is both a manifest and an image index", what)
    known = MANIFESTS | IMAGE_INDEXES
    if own in known and stated in known and own != stated:
        raise IntegrityError(f"registry says {stated}, the document {own}", what)
    found = next((kind for kind in (own, stated) if kind in known), "")
    if not found:
        found = IMAGE_INDEX if has_manifests else MANIFEST if has_layers else ""
    if not found:
        raise InvalidInput("not a container image", f"{what}: {own or stated or 'no media type'}")
    if (found in IMAGE_INDEXES) != has_manifests:
        raise IntegrityError(f"document is not what its media type says: {found}", what)
    return found
