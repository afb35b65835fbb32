"""Bundles, as folders and as tars."""

import json
from pathlib import Path

import images
import pytest

from rootless.bundle.bundle import read_bundle, write_bundle
from rootless.bundle.default_spec import default_spec
from rootless.errors import Conflict, IntegrityError, InvalidInput, NotFound
from rootless.image.load import load
from rootless.image.names import resolve
from rootless.image.store import Store
from rootless.oci.runtime_spec import format_spec
from rootless.paths import Paths

SPEC = default_spec()


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """An empty store."""
    folders = (tmp_path / name for name in ("store", "run", "scratch"))
    return Store.open(Paths(*folders), create=True)


def make_bundle(folder: Path, config: str | None = None) -> Path:
    """Write a bundle of one file."""
    (folder / "rootfs").mkdir(parents=True)
    (folder / "rootfs" / "file").write_text("x")
    (folder / "config.json").write_text(format_spec(SPEC) if config is None else config)
    return folder


def test_folder_of_files(store: Store, tmp_path: Path) -> None:
    """Its own config and rootfs; no tree."""
    folder = make_bundle(tmp_path / "b")
    bundle = read_bundle(folder, store, tmp_path)
    assert (bundle.spec, bundle.rootfs, bundle.tree) == (SPEC, folder / "rootfs", None)


def test_bundle_of_an_image(store: Store, tmp_path: Path) -> None:
    """What is written is read back, with the image's tree in place of files; it is written once."""
    load(store, str(images.docker_archive(tmp_path / "a.tar", [images.small_layer()], names=["p"])))
    write_bundle(tmp_path / "b", SPEC, resolve(store, "p"))
    bundle = read_bundle(tmp_path / "b", store, tmp_path)
    assert bundle.spec.process == SPEC.process
    assert bundle.tree is not None
    assert bundle.tree.exists()
    assert [layer.exists() for layer in bundle.layers] == [True]
    with pytest.raises(Conflict, match="there is a bundle already"):
        write_bundle(tmp_path / "b", SPEC, resolve(store, "p"))
    assert sorted(path.name for path in (tmp_path / "b").iterdir()) == ["config.json", "rootfs"]


def test_tar_of_a_bundle(store: Store, tmp_path: Path) -> None:
    """It is indexed beside, not unpacked; its tar is the only layer."""
    path = tmp_path / "b.tar"
    path.write_bytes(images.folder_tar(make_bundle(tmp_path / "b")))
    (tmp_path / "index").mkdir()
    bundle = read_bundle(path, store, tmp_path / "index")
    assert (bundle.spec, bundle.layers) == (SPEC, (path,))
    assert bundle.tree is not None
    assert bundle.tree.exists()


def test_what_is_no_bundle(store: Store, tmp_path: Path) -> None:
    """A missing path, a folder or tar without config.json, a broken one and no rootfs are named."""
    (tmp_path / "empty").mkdir()
    (tmp_path / "index").mkdir()
    (tmp_path / "text").write_text("no tar at all")
    (tmp_path / "tar").write_bytes(images.folder_tar(tmp_path / "empty"))
    bare = make_bundle(
        tmp_path / "bare",
        json.dumps(
            {
                "ociVersion": "1.0.0",
                "root": {"path": "none"},
                "process": {"args": ["a"], "cwd": "/"},
            }
        ),
    )
    for path, error, line in (
        (tmp_path / "none", NotFound, "no such bundle"),
        (tmp_path / "empty", NotFound, "it has no config.json"),
        (make_bundle(tmp_path / "broken", "{"), InvalidInput, "config.json is not JSON"),
        (bare, NotFound, "root.path is not a folder"),
        (tmp_path / "text", IntegrityError, "not a tar of a bundle"),
        (tmp_path / "tar", InvalidInput, "holds no config.json"),
    ):
        with pytest.raises(error, match=line):
            read_bundle(path, store, tmp_path / "index")
