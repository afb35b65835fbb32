"""`rootless.transfer.outgoing`: config, layers and manifests as they go out."""

import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import images
import pytest

from rootless.errors import IntegrityError, InvalidInput
from rootless.image import names
from rootless.image.byte_stream import ByteStream
from rootless.image.load import load
from rootless.image.store import Store
from rootless.oci import descriptor as media
from rootless.oci.descriptor import Descriptor
from rootless.oci.digest import Digest, sha256_of
from rootless.oci.image_config import parse_image_config
from rootless.transfer.compression import GZIP, NONE, Compression
from rootless.transfer.outgoing import (
    OutgoingLayer,
    annotations_of,
    make_blob,
    manifest_for,
    of_store,
    parse_form,
    parse_original,
    with_diff_ids,
)

TAR = images.small_layer().tar()


def layer(content: bytes, diff_id: Digest) -> OutgoingLayer:
    """Return a layer that is in memory."""

    @contextmanager
    def open_tar() -> Iterator[ByteStream]:
        yield io.BytesIO(content)

    return OutgoingLayer(diff_id, len(content), open_tar)


def test_image_of_the_store_has_all_that_it_came_with(store: Store, tmp_path: Path) -> None:
    """Config and manifest byte for byte, the layers as plain tars."""
    layout = images.oci_layout(tmp_path / "pic", [TAR], tag="pic")
    load(store, str(layout))
    image = of_store(store, names.resolve(store, "pic"))
    assert image.names == ("localhost/pic:latest",)
    assert image.config_data == images.image_config([TAR])
    assert image.original is not None
    manifest = json.loads((layout / "index.json").read_text())["manifests"][0]
    assert sha256_of(image.original.data) == manifest["digest"]
    with image.layers[0].open() as tar:
        assert tar.read(len(TAR) + 1) == TAR


@pytest.mark.parametrize("compression", [NONE, GZIP, Compression("zstd", 3)])
def test_blob_is_described_as_it_was_written(compression: Compression) -> None:
    """Digest and size are those of the bytes; progress is that of the tar."""
    out, went = io.BytesIO(), []
    sent = make_blob(layer(TAR, sha256_of(TAR)), compression, out.write, went.append, docker=False)
    assert sent.descriptor.digest == sha256_of(out.getvalue())
    assert sent.descriptor.size == len(out.getvalue())
    assert sent.descriptor.media_type == compression.media_type(docker=False)
    assert (sent.diff_id, sum(went)) == (sha256_of(TAR), len(TAR))


@pytest.mark.parametrize("name", ["gzip", "estargz"])
def test_damaged_layer_goes_nowhere(name: str) -> None:
    """A tar that is not its diff ID is an error, in whatever form it should go."""
    damaged = layer(TAR, sha256_of(b"another"))
    with pytest.raises(IntegrityError, match="layer is damaged"):
        make_blob(damaged, Compression(name, 3), lambda _: None, lambda _: None, docker=False)


def test_manifests_of_both_kinds() -> None:
    """The config's media type follows; Docker's have no annotations."""
    config = Descriptor("", sha256_of(b"{}"), 2)
    for docker, kind, config_kind in (
        (True, media.DOCKER_MANIFEST, media.DOCKER_CONFIG),
        (False, media.MANIFEST, media.IMAGE_CONFIG),
    ):
        data = manifest_for(config, [config], docker=docker, annotations={"a": "b"})
        original = parse_original(data)
        assert original.media_type == kind
        assert original.is_docker is docker
        assert original.manifest.config.media_type == config_kind
        assert annotations_of(original) == ({} if docker else {"a": "b"})
    assert annotations_of(None) == {}


def test_manifest_that_does_not_say_what_it_is() -> None:
    """OCI's need not: the config tells."""
    for docker, kind in ((True, media.DOCKER_MANIFEST), (False, media.MANIFEST)):
        value = json.loads(manifest_for(Descriptor("", sha256_of(b""), 0), [], docker=docker))
        del value["mediaType"]
        assert parse_original(json.dumps(value).encode()).media_type == kind


def test_config_changes_with_its_layers_alone() -> None:
    """Same diff IDs, same bytes; others are put in, and the rest stays."""
    data = images.image_config([TAR])
    assert with_diff_ids(data, [sha256_of(TAR)]) is data
    changed = with_diff_ids(data, [sha256_of(b"x")])
    assert parse_image_config(changed).diff_ids == (sha256_of(b"x"),)
    before, after = json.loads(data), json.loads(changed)
    del before["rootfs"], after["rootfs"]
    assert before == after


def test_format_option() -> None:
    """Docker's schema 1 gets a reason."""
    assert [parse_form(text) for text in ("", "oci", "v2s2")] == [None, False, True]
    with pytest.raises(InvalidInput, match="no more"):
        parse_form("v2s1")
