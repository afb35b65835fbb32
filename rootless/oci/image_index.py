"""Image indexes and the choice of a platform: OCI image-spec, image-index.md."""

import os
from collections.abc import Sequence
from dataclasses import dataclass

from rootless.errors import InvalidInput
from rootless.oci.descriptor import IMAGE_INDEX, Descriptor, Platform, parse_descriptor
from rootless.oci.document import MAX_MANIFEST_BYTES, parse_document, to_bytes

# machine names of uname(2) -> Go's names, which the specification uses
_ARCHITECTURES = {
    "x86_64": ("amd64", ""),
    "aarch64": ("arm64", "v8"),
    "armv7l": ("arm", "v7"),
    "armv6l": ("arm", "v6"),
    "i686": ("386", ""),
    "ppc64le": ("ppc64le", ""),
    "s390x": ("s390x", ""),
    "riscv64": ("riscv64", ""),
    "loongarch64": ("loong64", ""),
}
# what an architecture's manifests say when they leave the variant out
_IMPLIED_VARIANT = {"arm64": "v8", "arm": "v7"}


@dataclass(frozen=True, slots=True)
class ImageIndex:
    """A list of manifests, or of further indexes."""

    manifests: tuple[Descriptor, ...]

    def to_bytes(self) -> bytes:
        """Return the document that `parse_image_index` reads."""
        return to_bytes(
            {
                "schemaVersion": 2,
                "mediaType": IMAGE_INDEX,
                "manifests": [descriptor.to_json() for descriptor in self.manifests],
            }
        )


def parse_image_index(data: bytes, *, limit: int = MAX_MANIFEST_BYTES) -> ImageIndex:
    """Read an image index; raises InvalidInput with the path of the fault."""
    node = parse_document(data, "image index", limit=limit)
    items = node.get("manifests")
    return ImageIndex(() if items is None else tuple(parse_descriptor(i) for i in items.items()))


def host_platform() -> Platform:
    """Return this machine's platform."""
    machine = os.uname().machine
    architecture, variant = _ARCHITECTURES.get(machine, (machine, ""))
    return Platform("linux", architecture, variant)


def parse_platform(text: str) -> Platform:
    """Read `os/architecture[/variant]`; a lone architecture is Linux's."""
    parts = text.split("/")
    if len(parts) > 3 or not all(parts):
        raise InvalidInput("not a platform", text, "expected OS/ARCHITECTURE[/VARIANT]")
    if len(parts) == 1:
        return Platform("linux", parts[0])
    return Platform(*parts)


def matches(wanted: Platform, offered: Platform | None) -> bool:
    """Return whether an offer serves the wish; an offer that says nothing serves any."""
    if offered is None:
        return True
    if (offered.os or "linux") != wanted.os or offered.architecture != wanted.architecture:
        return False
    implied = _IMPLIED_VARIANT.get(wanted.architecture, "")
    variants = (wanted.variant or implied, offered.variant or implied)
    if wanted.architecture == "arm":  # a v7 processor runs v6 and v5 programs
        return variants[1] <= variants[0]
    return variants[0] == variants[1] or not offered.variant


def choose(manifests: Sequence[Descriptor], wanted: Platform) -> Descriptor | None:
    """Return the best manifest for a platform, None where no one serves it."""
    fitting = [d for d in manifests if matches(wanted, d.platform)]
    # an exact variant before a lesser one, a stated platform before none, then the first
    return max(
        fitting,
        key=lambda d: (d.platform is not None, d.platform.variant if d.platform else ""),
        default=None,
    )
