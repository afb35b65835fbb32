"""Image manifests: OCI image-spec, manifest.md, and Docker's version 2 schema 2."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from rootless.errors import InvalidInput
from rootless.oci.descriptor import (
    IMAGE_CONFIG,
    IMAGE_CONFIGS,
    LAYER_TAR,
    MANIFEST,
    Descriptor,
    parse_descriptor,
)
from rootless.oci.digest import Digest
from rootless.oci.document import parse_document, to_bytes

# An image has tens of layers; the bound keeps a hostile manifest from making thousands of files.
MAX_LAYERS = 1000


@dataclass(frozen=True, slots=True)
class Manifest:
    """The config and the layers, lowest first, of one image."""

    config: Descriptor
    layers: tuple[Descriptor, ...]
    annotations: Mapping[str, str] = field(default_factory=dict)

    def to_bytes(self) -> bytes:
        """Return the document that `parse_manifest` reads."""
        document = {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": self.config.to_json(),
            "layers": [layer.to_json() for layer in self.layers],
        }
        if self.annotations:
            document["annotations"] = dict(self.annotations)
        return to_bytes(document)


def parse_manifest(data: bytes) -> Manifest:
    """Read a manifest; raises InvalidInput with the path of the fault."""
    node = parse_document(data, "manifest")
    if node.get("schemaVersion") is not None and node.require("schemaVersion").value != 2:
        raise node.require("schemaVersion").fault("is not 2 (Docker's schema 1 is not supported)")
    config = parse_descriptor(node.require("config"))
    if config.media_type and config.media_type not in IMAGE_CONFIGS:
        raise InvalidInput("not a container image but an artifact", config.media_type)
    layers = tuple(parse_descriptor(item) for item in node.require("layers").items())
    if len(layers) > MAX_LAYERS:
        raise node.require("layers").fault(f"names {len(layers)} layers, at most {MAX_LAYERS}")
    return Manifest(config, layers, node.mapping("annotations"))


def stored_manifest(
    config: tuple[Digest, int],
    layers: list[tuple[Digest, int]],
    annotations: Mapping[str, str] | None = None,
) -> Manifest:
    """Return the manifest of an image whose layers are plain tars, as the store keeps it."""
    return Manifest(
        Descriptor(IMAGE_CONFIG, *config),
        tuple(Descriptor(LAYER_TAR, digest, size) for digest, size in layers),
        annotations or {},
    )
