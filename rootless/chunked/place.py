"""Whether a layer has a table of contents, as its descriptor in the manifest says.

Only a TOC whose digest the manifest has can be trusted, so a layer without the annotation is an
ordinary one, whatever its end looks like. eStargz has the digest of the JSON, zstd:chunked that of
the compressed TOC, under either of two prefixes: containers/storage changed it in 2023.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from rootless.chunked.toc import Kind
from rootless.errors import IntegrityError, InvalidInput
from rootless.oci.digest import Digest, parse_digest

ESTARGZ_DIGEST = "containerd.io/snapshot/stargz/toc.digest"
ESTARGZ_SIZE = "io.containers.estargz.uncompressed-size"
ZSTD_PREFIXES = ("io.github.containers.zstd-chunked.", "io.containers.zstd-chunked.")
CHECKSUM = "manifest-checksum"
POSITION = "manifest-position"

_POSITION = re.compile(r"(\d{1,18}):(\d{1,18}):(\d{1,18}):(\d{1,3})")
_CRFS = 1  # the only type of a TOC there is


@dataclass(frozen=True, slots=True)
class TocPlace:
    """Where a layer's TOC is to be found, and how it is recognised.

    Attributes:
        kind: The layer's format.
        digest: What the TOC's digest must be.
        is_compressed_digest: Whether it is the digest of the TOC as it lies in the blob.
        offset: Where it lies in the blob; 0 where only the footer knows.
        stored: Its length there; 0 as well.
    """

    kind: Kind
    digest: Digest
    is_compressed_digest: bool = False
    offset: int = 0
    stored: int = 0


def find_toc(media_type: str, annotations: Mapping[str, str]) -> TocPlace | None:
    """Return where the TOC of a layer is, by its descriptor; None for an ordinary layer.

    Raises:
        IntegrityError: An annotation says that there is one and is malformed.
    """
    if media_type.endswith(("+zstd", ".zstd")):
        for prefix in ZSTD_PREFIXES:
            if prefix + CHECKSUM in annotations:
                return _zstd_place(prefix, annotations)
        if ESTARGZ_DIGEST in annotations:  # the stargz snapshotter marks its own zstd so
            return TocPlace(Kind.ZSTD_CHUNKED, _digest(annotations, ESTARGZ_DIGEST))
    elif media_type.endswith(("+gzip", ".gzip")) and ESTARGZ_DIGEST in annotations:
        return TocPlace(Kind.ESTARGZ, _digest(annotations, ESTARGZ_DIGEST))
    return None


def _zstd_place(prefix: str, annotations: Mapping[str, str]) -> TocPlace:
    digest = _digest(annotations, prefix + CHECKSUM)
    place = TocPlace(Kind.ZSTD_CHUNKED, digest, is_compressed_digest=True)
    position = annotations.get(prefix + POSITION)
    if position is None:
        return place
    match = _POSITION.fullmatch(position)
    if not match or int(match[4]) != _CRFS:
        raise IntegrityError("malformed annotation of a layer", f"{prefix}{POSITION}")
    return TocPlace(place.kind, digest, True, int(match[1]), int(match[2]))


def _digest(annotations: Mapping[str, str], name: str) -> Digest:
    try:
        return parse_digest(annotations[name], name)
    except InvalidInput as error:
        raise IntegrityError("malformed annotation of a layer", str(error)) from None
