"""`rootless.transfer.save`: images of the store in archives and folders."""

import json
import tarfile
from pathlib import Path

import images
import pytest

from rootless.errors import Conflict, InvalidInput
from rootless.image import names
from rootless.image.load import load
from rootless.image.store import Store
from rootless.paths import Paths
from rootless.transfer.compression import GZIP, NONE, Compression
from rootless.transfer.save import save

LAYERS = [images.small_layer(), images.LayerBuilder().file("b", b"b" * 3000)]


@pytest.fixture
def filled(store: Store, tmp_path: Path) -> Store:
    """Have two images that share a layer."""
    load(store, str(images.oci_layout(tmp_path / "one", LAYERS, tag="one")))
    load(store, str(images.oci_layout(tmp_path / "two", LAYERS[:1], tag="two")))
    return store


def loaded(folder: Path, source: Path) -> dict[str, str]:
    """Load into a store of its own; return the images' IDs by name."""
    root = folder / "other"
    other = Store.open(Paths(store=root, runtime=root, scratch=root / "scratch"), create=True)
    load(other, str(source))
    return {image.reference: image.config_digest for image in names.entries(other)}


@pytest.mark.parametrize("form", ["docker-archive", "oci-archive", "oci-dir"])
def test_what_was_saved_loads_as_it_was(filled: Store, tmp_path: Path, form: str) -> None:
    """Several images, with their names and IDs."""
    out = tmp_path / "out"
    save(filled, ["one", "two"], str(out), form=form)
    wanted = {image.reference: image.config_digest for image in names.entries(filled)}
    assert loaded(tmp_path, out) == wanted


@pytest.mark.parametrize("form", ["docker-archive", "oci-archive"])
def test_same_images_make_the_same_archive(filled: Store, tmp_path: Path, form: str) -> None:
    """Byte for byte."""
    for name in ("a", "b"):
        save(filled, ["one", "two"], str(tmp_path / name), form=form)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_layout_gets_further_images(filled: Store, tmp_path: Path) -> None:
    """One that is there stays; the image of the same name is replaced."""
    for name in ("one", "two", "one"):
        save(filled, [name], str(tmp_path / "l"), form="oci-dir")
    assert len(loaded(tmp_path, tmp_path / "l")) == 2
    assert len(json.loads((tmp_path / "l/index.json").read_text())["manifests"]) == 2


def test_layers_are_compressed_as_is_asked_for(filled: Store, tmp_path: Path) -> None:
    """zstd, or not at all; a plain layer is its diff ID."""
    image = names.resolve(filled, "two")
    save(filled, ["two"], str(tmp_path / "p"), form="oci-dir", compression=NONE)
    assert (tmp_path / "p/blobs/sha256" / image.config.diff_ids[0][7:]).exists()
    save(filled, ["two"], str(tmp_path / "z"), form="oci-dir", compression=Compression("zstd", 3))
    kinds = {path.read_bytes()[:4] for path in (tmp_path / "z/blobs/sha256").iterdir()}
    assert b"\x28\xb5\x2f\xfd" in kinds


def test_docker_dir_is_dockers(filled: Store, tmp_path: Path) -> None:
    """One image, its manifest of version 2 schema 2."""
    save(filled, ["two"], str(tmp_path / "d"), form="docker-dir")
    manifest = json.loads((tmp_path / "d/manifest.json").read_text())
    assert manifest["mediaType"].startswith("application/vnd.docker.")
    for each in (manifest["config"], *manifest["layers"]):
        assert (tmp_path / "d" / each["digest"][7:]).stat().st_size == each["size"]
    with pytest.raises(Conflict, match="exists"):
        save(filled, ["two"], str(tmp_path / "d"), form="docker-dir")


def test_what_cannot_be_is_refused_at_once(filled: Store, tmp_path: Path) -> None:
    """And nothing is written."""
    out = str(tmp_path / "x")
    for wanted, output, form, compression in (
        (["one"], out, "tar", None),
        (["one"], "", "oci-dir", None),
        (["one", "two"], out, "docker-dir", None),
        (["one"], out, "docker-archive", GZIP),
    ):
        with pytest.raises(InvalidInput):
            save(filled, wanted, output, form=form, compression=compression)
    assert not Path(out).exists()


def test_archive_is_a_tar_of_an_ordinary_layout(filled: Store, tmp_path: Path) -> None:
    """index.json stands at its end, since it is known last."""
    save(filled, ["one"], str(tmp_path / "a"), form="oci-archive")
    with tarfile.open(tmp_path / "a") as tar:
        assert tar.getnames()[-2:] == ["oci-layout", "index.json"]
