"""Descriptors and media types: OCI image-spec, descriptor.md and media-types.md."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from rootless.oci.digest import Digest
from rootless.oci.document import Node

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
IMAGE_INDEX = "application/vnd.oci.image.index.v1+json"
IMAGE_CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER_TAR = "application/vnd.oci.image.layer.v1.tar"
LAYER_TAR_GZIP = "application/vnd.oci.image.layer.v1.tar+gzip"
LAYER_TAR_ZSTD = "application/vnd.oci.image.layer.v1.tar+zstd"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_MANIFEST_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
DOCKER_CONFIG = "application/vnd.docker.container.image.v1+json"
DOCKER_LAYER_TAR = "application/vnd.docker.image.rootfs.diff.tar"
DOCKER_LAYER_TAR_GZIP = "application/vnd.docker.image.rootfs.diff.tar.gzip"

MANIFESTS = frozenset({MANIFEST, DOCKER_MANIFEST})
IMAGE_INDEXES = frozenset({IMAGE_INDEX, DOCKER_MANIFEST_LIST})
IMAGE_CONFIGS = frozenset({IMAGE_CONFIG, DOCKER_CONFIG})

REF_NAME = "org.opencontainers.image.ref.name"
CONTAINERD_NAME = "io.containerd.image.name"


@dataclass(frozen=True, slots=True)
class Platform:
    """What a manifest of an image index is for; empty strings where not said."""

    os: str = ""
    architecture: str = ""
    variant: str = ""

    def __str__(self) -> str:
        parts = (self.os, self.architecture, self.variant)
        return "/".join(part for part in parts if part) or "unknown"


@dataclass(frozen=True, slots=True)
class Descriptor:
    """A reference to content: what it is, its digest and its size."""

    media_type: str
    digest: Digest
    size: int
    annotations: Mapping[str, str] = field(default_factory=dict)
    platform: Platform | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the object that `parse_descriptor` reads."""
        value: dict[str, Any] = {
            "mediaType": self.media_type,
            "digest": self.digest,
            "size": self.size,
        }
        if self.annotations:
            value["annotations"] = dict(self.annotations)
        if self.platform is not None:
            names = ("os", "architecture", "variant")
            parts = {name: getattr(self.platform, name) for name in names}
            value["platform"] = {name: part for name, part in parts.items() if part}
        return value


def parse_descriptor(node: Node) -> Descriptor:
    """Read a descriptor; raises InvalidInput with the path of the fault."""
    where = node.get("platform")
    platform = None
    if where is not None:
        platform = Platform(where.text("os"), where.text("architecture"), where.text("variant"))
    return Descriptor(
        media_type=node.text("mediaType"),
        digest=node.require("digest").as_digest(),
        size=node.require("size").as_size(),
        annotations=node.mapping("annotations"),
        platform=platform,
    )
