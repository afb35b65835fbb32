"""`rootless.transfer.described`: images and indexes copied byte for byte."""

import json
from pathlib import Path

import images
import pytest
import trio

from rootless.errors import IntegrityError, InvalidInput
from rootless.image.byte_stream import read_up_to
from rootless.image.source import LayoutFolder
from rootless.image.store import Store
from rootless.oci import descriptor as media
from rootless.oci.descriptor import Platform
from rootless.oci.digest import Digest
from rootless.oci.image_index import parse_image_index
from rootless.oci.manifest import parse_manifest
from rootless.transfer.described import Copier, CopyOptions, chosen, unpacked
from rootless.transfer.destination import LayoutDestination
from rootless.transfer.files import FolderFiles
from rootless.transfer.origin import LayoutOrigin
from rootless.transfer.outgoing import parse_original
from rootless.transfer.progress import Silent

TAR = images.small_layer().tar()
AMD, ARM = Platform("linux", "amd64"), Platform("linux", "arm64")


def two_platforms(folder: Path) -> Path:
    """Write a layout whose image `both` is an index of two."""
    layout = images.Layout(folder)
    manifests = []
    for platform, extra in ((AMD, b"amd"), (ARM, b"arm")):
        layers = [TAR, images.LayerBuilder().file("who", extra).tar()]
        descriptor = layout.add_image(layers, tag=None)
        descriptor["platform"] = {"os": platform.os, "architecture": platform.architecture}
        manifests.append(descriptor)
    index = {"schemaVersion": 2, "mediaType": media.IMAGE_INDEX, "manifests": manifests}
    named = layout.add_blob(json.dumps(index).encode(), media.IMAGE_INDEX)
    named["annotations"] = {media.REF_NAME: "both"}
    (folder / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [named]}))
    return folder


def origin(folder: Path) -> LayoutOrigin:
    """Return the origin of a layout's only image."""
    return LayoutOrigin(LayoutFolder(Store(Path("/no"), Path("/no")), str(folder)), "")


def copied(source: Path, target: Path, options: CopyOptions) -> Digest:
    """Copy into a new layout; return the digest that its name leads to."""

    async def work() -> Digest:
        destination = LayoutDestination(FolderFiles(target, "t"))
        digest = await Copier(origin(source), destination, options, Silent()).copy(["new"])
        await destination.finish()
        return digest

    digest = trio.run(work)
    entry = parse_image_index((target / "index.json").read_bytes()).manifests
    assert [(e.digest, e.annotations[media.REF_NAME]) for e in entry] == [(digest, "new")]
    return digest


def blobs(folder: Path) -> dict[str, bytes]:
    """Return all blobs of a layout."""
    return {path.name: path.read_bytes() for path in (folder / "blobs/sha256").iterdir()}


def test_whole_index_is_copied(tmp_path: Path) -> None:
    """Every document and blob, and what they share once."""
    source = two_platforms(tmp_path / "s")
    digest = copied(source, tmp_path / "t", CopyOptions(AMD, whole=True))
    assert blobs(tmp_path / "t") == blobs(source)
    assert digest == parse_image_index((source / "index.json").read_bytes()).manifests[0].digest


@pytest.mark.parametrize("platform", [AMD, ARM])
def test_one_image_of_an_index(tmp_path: Path, platform: Platform) -> None:
    """That of the platform, with its own digest."""
    source = two_platforms(tmp_path / "s")
    digest = copied(source, tmp_path / "t", CopyOptions(platform))
    found = blobs(tmp_path / "t")
    assert found.items() < blobs(source).items()
    assert len(parse_manifest(found[digest[7:]]).layers) == 2
    assert len(found) == 4


def test_form_is_turned_and_blobs_stay(tmp_path: Path) -> None:
    """To Docker's and back gives what was there; a whole index is not turned."""
    source = images.oci_layout(tmp_path / "s", [TAR])
    docker = copied(source, tmp_path / "d", CopyOptions(AMD, docker=True))
    original = parse_original(blobs(tmp_path / "d")[docker[7:]])
    assert original.is_docker
    back = copied(tmp_path / "d", tmp_path / "o", CopyOptions(AMD, docker=False))
    assert not parse_original(blobs(tmp_path / "o")[back[7:]]).is_docker
    assert copied(source, tmp_path / "p", CopyOptions(AMD, docker=False)) != docker
    with pytest.raises(InvalidInput, match="leave out --all"):
        copied(source, tmp_path / "q", CopyOptions(AMD, whole=True, docker=True))


def test_artifacts_are_copied(tmp_path: Path) -> None:
    """A manifest of something else than an image has a config and layers too."""
    layout = images.Layout(tmp_path / "s")
    config = layout.add_blob(b"{}", "application/vnd.oci.empty.v1+json")
    chart = layout.add_blob(b"chart", "application/x-chart")
    manifest = {"schemaVersion": 2, "config": config, "layers": [chart]}
    layout.add_to_index(layout.add_blob(json.dumps(manifest).encode(), media.MANIFEST))
    copied(tmp_path / "s", tmp_path / "t", CopyOptions(AMD))
    assert blobs(tmp_path / "t") == blobs(tmp_path / "s")


def test_damaged_blob_ends_the_copy(tmp_path: Path) -> None:
    """With its digest, and without a name for the copy."""
    source = images.oci_layout(tmp_path / "s", [TAR])
    manifest = trio.run(origin(source).top)
    layer = parse_manifest(manifest.data).layers[0]
    path = source / "blobs/sha256" / layer.digest[7:]
    path.write_bytes(b"x" * layer.size)
    with pytest.RaisesGroup(pytest.RaisesExc(IntegrityError, match="wrong digest")):
        copied(source, tmp_path / "t", CopyOptions(AMD))
    assert not (tmp_path / "t" / "index.json").exists()


@pytest.mark.parametrize("compression", ["gzip", "zstd", "none"])
def test_layers_are_unpacked_on_the_way(tmp_path: Path, compression: str) -> None:
    """For what keeps plain tars."""
    source = origin(images.oci_layout(tmp_path / "s", [TAR], compression=compression))
    image = trio.run(unpacked, source, trio.run(source.top))
    with image.layers[0].open() as tar:
        assert read_up_to(tar, len(TAR) + 1) == TAR


def test_index_is_not_copied_without_end(tmp_path: Path) -> None:
    """A thousand different manifests are too many; the same one a thousand times is one."""
    layout = images.Layout(tmp_path / "s")
    one = layout.add_image([TAR], tag=None)
    others = [
        layout.add_blob(f'{{"manifests":[],"n":{n}}}'.encode(), media.IMAGE_INDEX)
        for n in range(1001)
    ]
    for entries, is_taken in (([one] * 2000, True), (others, False)):
        index = {"schemaVersion": 2, "mediaType": media.IMAGE_INDEX, "manifests": entries}
        named = layout.add_blob(json.dumps(index).encode(), media.IMAGE_INDEX)
        (tmp_path / "s/index.json").write_text(json.dumps({"manifests": [named]}))
        if is_taken:
            copied(tmp_path / "s", tmp_path / "t", CopyOptions(AMD, whole=True))
            assert len(blobs(tmp_path / "t")) == 4
        else:
            with pytest.raises(InvalidInput, match="too many images"):
                copied(tmp_path / "s", tmp_path / "u", CopyOptions(AMD, whole=True))


def test_circle_of_indexes_ends(tmp_path: Path) -> None:
    """Indexes in indexes are followed a few times."""
    layout = images.Layout(tmp_path / "s")
    inner = layout.add_image([TAR], tag=None)
    for _ in range(8):
        inner = {key: inner[key] for key in ("mediaType", "digest", "size")}
        index = {"schemaVersion": 2, "mediaType": media.IMAGE_INDEX, "manifests": [inner]}
        inner = layout.add_blob(json.dumps(index).encode(), media.IMAGE_INDEX)
    (tmp_path / "s/index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [inner]}))
    source = origin(tmp_path / "s")
    with pytest.raises(InvalidInput, match="nested too deeply"):
        trio.run(chosen, source, trio.run(source.top), AMD)
    with pytest.raises(InvalidInput, match="nested too deeply"):
        copied(tmp_path / "s", tmp_path / "t", CopyOptions(AMD, whole=True))
