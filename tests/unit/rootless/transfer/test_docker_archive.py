"""`rootless.transfer.docker_archive`: what docker and podman load, written and read."""

import json
import tarfile
from dataclasses import replace
from pathlib import Path

import images
import pytest

from rootless.errors import IntegrityError, InvalidInput
from rootless.image import names
from rootless.image.byte_stream import read_up_to
from rootless.image.load import load
from rootless.image.source import ArchiveFile, open_regular
from rootless.image.store import Store
from rootless.oci.digest import sha256_of
from rootless.transfer.docker_archive import DockerArchive, plain_image
from rootless.transfer.files import TarFiles
from rootless.transfer.outgoing import OutgoingImage, of_store
from rootless.transfer.progress import Silent

LAYERS = [images.small_layer().tar(), images.LayerBuilder().file("b", b"b" * 3000).tar()]


@pytest.fixture
def image(store: Store, tmp_path: Path) -> OutgoingImage:
    """Have an image in the store."""
    load(store, str(images.oci_layout(tmp_path / "pic", LAYERS, tag="pic")))
    return of_store(store, names.resolve(store, "pic"))


def archive(path: Path, *parts: tuple[OutgoingImage, list[str]]) -> Path:
    """Write images with their names."""
    with path.open("wb") as file:
        files = TarFiles(file.fileno(), str(path))
        writer = DockerArchive(files)
        for image, given in parts:
            writer.add(image, given, Silent())
        writer.finish()
        files.end()
    return path


def test_archive_has_each_thing_once(image: OutgoingImage, tmp_path: Path) -> None:
    """An image of two names is one; what images share is written once."""
    path = archive(tmp_path / "a.tar", (image, ["one"]), (image, ["two:2", "one:latest"]))
    with tarfile.open(path) as tar:
        found = tar.getnames()
        assert len(set(found)) == len(found) == 4
        file = tar.extractfile("manifest.json")
        assert file is not None
        listed = json.load(file)
    assert [each["RepoTags"] for each in listed] == [["localhost/one:latest", "localhost/two:2"]]
    assert listed[0]["Layers"] == [f"{d.partition(':')[2]}.tar" for d in image.config.diff_ids]


def test_archive_is_read_as_it_was_written(image: OutgoingImage, tmp_path: Path) -> None:
    """Config, layers and names come back."""
    path = archive(tmp_path / "a.tar", (image, ["h.example/one:1"]))
    files = ArchiveFile(no_store(), open_regular(str(path)), str(path))
    try:
        again = plain_image(files, "")
        assert again.config_data == image.config_data
        assert again.names == ("h.example/one:1",)
        for layer, content in zip(again.layers, LAYERS, strict=True):
            assert layer.size == len(content)
            with layer.open() as tar:
                assert read_up_to(tar, len(content) + 1) == content
    finally:
        files.close()


def test_compressed_layers_of_others_are_read(tmp_path: Path) -> None:
    """Their size is not known beforehand."""
    path = images.docker_archive(tmp_path / "a.tar", LAYERS, compression="gzip")
    files = ArchiveFile(no_store(), open_regular(str(path)), str(path))
    try:
        layer = plain_image(files, "").layers[0]
        assert layer.size == -1
        with layer.open() as tar:
            assert read_up_to(tar, len(LAYERS[0]) + 1) == LAYERS[0]
    finally:
        files.close()


def test_layer_that_is_another_is_refused(image: OutgoingImage, tmp_path: Path) -> None:
    """The name of a member says its digest, and is not lied about."""
    wrong = replace(image.layers[0], diff_id=sha256_of(b"x"))
    with pytest.raises(IntegrityError, match="wrong diff ID"):
        archive(tmp_path / "a.tar", (replace(image, layers=(wrong,)), []))


def test_name_with_a_digest_is_refused(image: OutgoingImage, tmp_path: Path) -> None:
    """Docker's form has tags alone."""
    with pytest.raises(InvalidInput, match="give a tag"):
        archive(tmp_path / "a.tar", (image, [f"one@{sha256_of(b'')}"]))


def no_store() -> Store:
    """Return a store that nobody writes to."""
    return Store(Path("/nowhere"), Path("/nowhere"))


def test_several_images_must_be_named(tmp_path: Path, image: OutgoingImage) -> None:
    """The line says how they are called."""
    other = replace(image, config_data=image.config_data + b"\n")
    path = archive(tmp_path / "a.tar", (image, ["one"]), (other, ["two"]))
    files = ArchiveFile(no_store(), open_regular(str(path)), str(path))
    try:
        with pytest.raises(InvalidInput, match="localhost/one:latest, localhost/two:latest"):
            plain_image(files, "")
        assert plain_image(files, "localhost/two:latest").config_data == other.config_data
    finally:
        files.close()
