"""`rootless.chunked.place`: which layers have a table of contents, by their descriptors."""

import images
import pytest

from rootless.chunked.place import ESTARGZ_DIGEST, ZSTD_PREFIXES, TocPlace, find_toc
from rootless.chunked.toc import Kind
from rootless.errors import IntegrityError
from rootless.oci.digest import Digest

GZIP, ZSTD = images.LAYER_TYPES["gzip"], images.LAYER_TYPES["zstd"]
DOCKER_GZIP = "application/vnd.docker.image.rootfs.diff.tar.gzip"
DIGEST = Digest(images.digest(b"toc"))
NEW, OLD = ZSTD_PREFIXES


@pytest.mark.parametrize("media_type", [GZIP, DOCKER_GZIP])
def test_estargz_is_told_by_its_digest(media_type: str) -> None:
    """A gzip layer of OCI's or Docker's media type; where the TOC is only the footer knows."""
    place = find_toc(media_type, {ESTARGZ_DIGEST: DIGEST})
    assert place == TocPlace(Kind.ESTARGZ, DIGEST)


@pytest.mark.parametrize("prefix", ZSTD_PREFIXES)
def test_zstd_chunked_is_told_by_either_prefix(prefix: str) -> None:
    """The place is in the annotations; the digest is of the compressed TOC."""
    annotations = {
        prefix + "manifest-checksum": DIGEST,
        prefix + "manifest-position": "701499:1788:7412:1",
    }
    place = find_toc(ZSTD, annotations)
    expected = TocPlace(
        Kind.ZSTD_CHUNKED, DIGEST, is_compressed_digest=True, offset=701499, stored=1788
    )
    assert place == expected


def test_a_zstd_layer_of_the_stargz_snapshotter() -> None:
    """It has the digest of the JSON, and may have no place."""
    place = find_toc(ZSTD, {ESTARGZ_DIGEST: DIGEST})
    assert place == TocPlace(Kind.ZSTD_CHUNKED, DIGEST)


def test_without_a_position_the_footer_is_asked() -> None:
    """The position is optional."""
    place = find_toc(ZSTD, {OLD + "manifest-checksum": DIGEST})
    assert place == TocPlace(Kind.ZSTD_CHUNKED, DIGEST, is_compressed_digest=True)


@pytest.mark.parametrize(
    ("media_type", "annotations"),
    [
        (GZIP, {}),
        (ZSTD, {}),
        (images.LAYER_TYPES["none"], {ESTARGZ_DIGEST: DIGEST}),
        (GZIP, {NEW + "manifest-checksum": DIGEST}),
        (GZIP, {"org.example": "x"}),
    ],
)
def test_ordinary_layers(media_type: str, annotations: dict[str, str]) -> None:
    """A layer without the annotation of its compression is an ordinary one."""
    assert find_toc(media_type, annotations) is None


@pytest.mark.parametrize(
    ("media_type", "annotations"),
    [
        (GZIP, {ESTARGZ_DIGEST: "sha256:short"}),
        (GZIP, {ESTARGZ_DIGEST: "sha512:" + "0" * 128}),
        (ZSTD, {NEW + "manifest-checksum": ""}),
        *(
            (ZSTD, {NEW + "manifest-checksum": DIGEST, NEW + "manifest-position": position})
            for position in ("", "1:2:3", "1:2:3:2", "-1:2:3:1", "1:2:3:1:", "9" * 30 + ":2:3:1")
        ),
    ],
)
def test_malformed_annotations(media_type: str, annotations: dict[str, str]) -> None:
    """What is there and says nothing is an error, with the annotation's name."""
    with pytest.raises(
        IntegrityError, match=r"malformed annotation of a layer: .*(toc\.digest|man)"
    ):
        find_toc(media_type, annotations)
