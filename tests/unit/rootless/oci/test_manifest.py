"""Manifests."""

import json
from typing import Any

import pytest

from rootless.errors import InvalidInput
from rootless.oci.descriptor import DOCKER_CONFIG, IMAGE_CONFIG, LAYER_TAR, Descriptor
from rootless.oci.digest import sha256_of
from rootless.oci.manifest import MAX_LAYERS, Manifest, parse_manifest, stored_manifest

ONE = Descriptor(IMAGE_CONFIG, sha256_of(b"config"), 6)
LAYER = Descriptor(LAYER_TAR, sha256_of(b"layer"), 5)


def test_stored_manifest_is_read_back() -> None:
    """The manifest that the store keeps has config and layers in their order."""
    manifest = stored_manifest((ONE.digest, 6), [(LAYER.digest, 5), (ONE.digest, 6)])
    assert parse_manifest(manifest.to_bytes()) == manifest
    assert [layer.digest for layer in manifest.layers] == [LAYER.digest, ONE.digest]


def test_docker_and_silent_ones_are_taken() -> None:
    """Docker's media type, none at all and no schema version are a container image too."""
    for kind in (DOCKER_CONFIG, ""):
        config = {**ONE.to_json(), "mediaType": kind}
        data = json.dumps({"config": config, "layers": []}).encode()
        assert parse_manifest(data) == Manifest(Descriptor(kind, ONE.digest, 6), ())


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"schemaVersion": 1}, "schemaVersion is not 2"),
        ({"config": None}, "config is missing"),
        ({"layers": None}, "layers is missing"),
        ({"layers": {}}, "layers is not an array"),
        ({"layers": [1]}, r"layers\[0\] is not an object"),
        ({"layers": [LAYER.to_json(), {"digest": "md5:0"}]}, r"at manifest layers\[1\].digest"),
        ({"layers": [LAYER.to_json()] * (MAX_LAYERS + 1)}, "names 1001 layers, at most 1000"),
        ({"config": {**ONE.to_json(), "mediaType": "a/b"}}, "not a container image but an art"),
    ],
)
def test_faults(change: dict[str, Any], fault: str) -> None:
    """Each fault is named with its place; an artifact is told from an image."""
    good = json.loads(Manifest(ONE, (LAYER,)).to_bytes())
    with pytest.raises(InvalidInput, match=fault):
        parse_manifest(json.dumps({**good, **change}).encode())
