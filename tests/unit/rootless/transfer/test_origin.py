"""`rootless.transfer.origin`: images of layouts and of skopeo's `dir:`, every byte verified."""

import json
from pathlib import Path

import images
import pytest
import trio

from rootless.errors import IntegrityError, InvalidInput, NotFound
from rootless.image.source import LayoutFolder
from rootless.image.store import Store
from rootless.oci import descriptor as media
from rootless.oci.descriptor import Descriptor
from rootless.oci.digest import sha256_of
from rootless.oci.manifest import parse_manifest
from rootless.transfer.origin import DirOrigin, LayoutOrigin, media_type_of, verified

TAR = images.small_layer().tar()
STORE = Store(Path("/nowhere"), Path("/nowhere"))


def layout(path: Path, wanted: str = "") -> LayoutOrigin:
    """Return the origin of a layout."""
    return LayoutOrigin(LayoutFolder(STORE, str(path)), wanted)


def test_layout_gives_documents_and_blobs(tmp_path: Path) -> None:
    """From any offset."""
    origin = layout(images.oci_layout(tmp_path / "l", [TAR], tag="pic", compression="none"), "pic")
    top = trio.run(origin.top)
    assert top.media_type == media.MANIFEST
    manifest = parse_manifest(top.data)
    assert trio.run(origin.config, manifest.config) == images.image_config([TAR])
    with origin.opener(manifest.layers[0])(500) as blob:
        assert blob.read(len(TAR)) == TAR[500:]
    assert trio.run(origin.manifest, Descriptor("", sha256_of(top.data), len(top.data))) == top.data


def test_image_must_be_meant_clearly(tmp_path: Path) -> None:
    """Of several one is to be named; one with two names is one."""
    path = images.oci_layout(tmp_path / "l", [TAR], tag="a")
    images.oci_layout(path, [TAR], tag="b")
    assert trio.run(layout(path).top).media_type == media.MANIFEST
    images.oci_layout(path, [TAR, TAR], tag="c")
    with pytest.raises(InvalidInput, match="name one: a, b, c"):
        trio.run(layout(path).top)
    with pytest.raises(NotFound, match="l:d"):
        trio.run(layout(path, "d").top)
    (path / "index.json").unlink()
    with pytest.raises(InvalidInput, match="not an OCI layout"):
        trio.run(layout(path).top)


def test_damage_is_found() -> None:
    """Missing, another one, of another size."""
    right = Descriptor("", sha256_of(b"data"), 4)
    assert verified(b"data", right) == b"data"
    with pytest.raises(IntegrityError, match="missing"):
        verified(None, right)
    with pytest.raises(IntegrityError, match="wrong digest"):
        verified(b"date", right)
    with pytest.raises(IntegrityError, match="wrong size"):
        verified(b"data", Descriptor("", sha256_of(b"data"), 5))


def test_missing_blobs_say_so(tmp_path: Path) -> None:
    """When they are opened."""
    blob = Descriptor("", sha256_of(b"x"), 1)
    path = images.oci_layout(tmp_path / "l", [TAR])
    for origin in (layout(path), DirOrigin(str(path), LayoutFolder(STORE, str(path)))):
        with pytest.raises(IntegrityError, match="blob is missing"), origin.opener(blob)(0):
            pass


def test_dir_is_read(tmp_path: Path) -> None:
    """manifest.json, and blobs by their digests; without the former it is none."""
    origin = DirOrigin(str(tmp_path), LayoutFolder(STORE, str(tmp_path)))
    with pytest.raises(NotFound, match=r"manifest\.json"):
        trio.run(origin.top)
    data = json.dumps({"schemaVersion": 2, "config": {}, "layers": []}).encode()
    blob = Descriptor("", sha256_of(data), len(data))
    for name in ("manifest.json", blob.digest[7:], f"{blob.digest[7:]}.manifest.json"):
        (tmp_path / name).write_bytes(data)
    assert trio.run(origin.top).data == data
    assert trio.run(origin.config, blob) == trio.run(origin.manifest, blob) == data
    with origin.opener(blob)(3) as stream:
        assert stream.read(len(data)) == data[3:]


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ({"mediaType": "stated"}, "stated"),
        ({"manifests": []}, media.IMAGE_INDEX),
        ({"config": {"mediaType": media.DOCKER_CONFIG}}, media.DOCKER_MANIFEST),
        ({"config": {"mediaType": media.IMAGE_CONFIG}}, media.MANIFEST),
    ],
)
def test_media_type_by_contents(document: object, expected: str) -> None:
    """For documents that nobody described."""
    assert media_type_of(json.dumps(document).encode()) == expected
