"""What a registry's document is."""

import json

import pytest

from rootless.errors import IntegrityError, InvalidInput
from rootless.oci.descriptor import DOCKER_MANIFEST, DOCKER_MANIFEST_LIST, IMAGE_INDEX, MANIFEST
from rootless.registry.manifest_type import media_type_of

LAYERS = {"schemaVersion": 2, "layers": []}
MANIFESTS = {"schemaVersion": 2, "manifests": []}


def found(document: dict[str, object], content_type: str = "") -> str:
    """Return the media type."""
    return media_type_of(json.dumps(document).encode(), content_type, "x/y:1")


@pytest.mark.parametrize("kind", [MANIFEST, DOCKER_MANIFEST, IMAGE_INDEX, DOCKER_MANIFEST_LIST])
def test_either_says_it(kind: str) -> None:
    """The document, the registry, or both; parameters of the field do not count."""
    document = MANIFESTS if kind in (IMAGE_INDEX, DOCKER_MANIFEST_LIST) else LAYERS
    assert found(document, kind) == kind
    assert found(document, f"{kind.upper()}; charset=utf-8") == kind
    assert found({**document, "mediaType": kind}) == kind
    assert found({**document, "mediaType": kind}, kind) == kind
    assert found({**document, "mediaType": kind}, "application/json") == kind


def test_neither_says_it() -> None:
    """A document without a media type is OCI's, by what is in it."""
    assert found(LAYERS, "text/plain") == MANIFEST
    assert found(MANIFESTS) == IMAGE_INDEX


def test_two_readings() -> None:
    """A document that can be read in two ways is refused (CVE-2021-41190)."""
    with pytest.raises(IntegrityError, match="both a manifest and an image index"):
        found({**LAYERS, **MANIFESTS}, MANIFEST)
    with pytest.raises(IntegrityError, match="registry says"):
        found({**LAYERS, "mediaType": MANIFEST}, DOCKER_MANIFEST)
    with pytest.raises(IntegrityError, match="not what its media type says"):
        found(LAYERS, IMAGE_INDEX)
    with pytest.raises(IntegrityError, match="not what its media type says"):
        found({**MANIFESTS, "mediaType": MANIFEST})


def test_schema_1() -> None:
    """Docker's first format is refused with what to do, however it is recognised."""
    prefix = "application/vnd.docker.distribution.manifest.v1+"
    for document, kind in (
        ({"schemaVersion": 1, "fsLayers": []}, ""),
        ({}, f"{prefix}json"),
        ({}, f"{prefix}prettyjws"),
        ({"mediaType": f"{prefix}json"}, ""),
    ):
        with pytest.raises(
            InvalidInput, match=r"schema 1 is not supported: x/y:1 .*push the image"
        ):
            found(document, kind)


def test_no_image() -> None:
    """Anything else says what it is instead."""
    with pytest.raises(InvalidInput, match="not a container image: x/y:1: text/html"):
        found({}, "text/html")
    with pytest.raises(InvalidInput, match="manifest is not JSON"):
        media_type_of(b"<html>", "text/html", "x/y:1")
