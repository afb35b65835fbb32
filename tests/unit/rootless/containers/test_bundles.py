"""What `rootless bundle` makes."""

import json
import os
from pathlib import Path

import pytest

from rootless.bundle.bundle import IMAGE_ANNOTATION, read_bundle
from rootless.bundle.options import RunOptions
from rootless.containers.bundles import create_bundle, write_default_spec
from rootless.errors import Conflict, NotFound, StoreError
from rootless.image.store import Store
from rootless.oci.runtime_spec import parse_spec
from rootless.paths import Paths


@pytest.fixture
def user(loaded: Paths, monkeypatch: pytest.MonkeyPatch) -> Paths:
    """The folders, in the environment."""
    monkeypatch.setenv("ROOTLESS_HOME", str(loaded.store))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(loaded.runtime.parent))
    return loaded


def test_of_an_image(user: Paths, tmp_path: Path) -> None:
    """A bundle has the image's config, an empty rootfs, and leads back to the image's tree."""
    create_bundle("pic", str(tmp_path / "a/b"), RunOptions(terminal=True))
    assert sorted(os.listdir(tmp_path / "a/b")) == ["config.json", "rootfs"]
    assert os.listdir(tmp_path / "a/b/rootfs") == []
    store = Store.open(user, create=False)
    made = read_bundle(tmp_path / "a/b", store, tmp_path)
    assert made.spec.process.args == ("/bin/show",)
    assert made.spec.process.cwd == "/w"
    assert made.spec.process.terminal
    assert "A=1" in made.spec.process.env
    assert made.spec.annotations[IMAGE_ANNOTATION].startswith("sha256:")
    assert made.tree is not None
    assert made.tree.is_relative_to(user.store)
    assert len(made.layers) == 1


def test_with_another_command(user: Paths, tmp_path: Path) -> None:
    """Words after the folder take the place of the image's command."""
    create_bundle("pic", str(tmp_path / "b"), RunOptions(command=("sh", "-c", "x")))
    spec = json.loads((tmp_path / "b/config.json").read_bytes())
    assert spec["process"]["args"] == ["sh", "-c", "x"]


def test_does_not_overwrite(user: Paths, tmp_path: Path) -> None:
    """A folder that is a bundle stays as it is."""
    create_bundle("pic", str(tmp_path / "b"), RunOptions())
    before = (tmp_path / "b/config.json").read_bytes()
    with pytest.raises(Conflict, match="there is a bundle already"):
        create_bundle("pic", str(tmp_path / "b"), RunOptions(command=("x",)))
    assert (tmp_path / "b/config.json").read_bytes() == before


def test_of_no_image(user: Paths, tmp_path: Path) -> None:
    """An image that is not there leaves no folder behind."""
    with pytest.raises(NotFound, match="no such image: nosuch"):
        create_bundle("nosuch", str(tmp_path / "b"), RunOptions())
    assert not (tmp_path / "b").exists()


def test_default_spec(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The default config.json is one that is read again; one that is there is left alone."""
    monkeypatch.chdir(tmp_path)
    assert write_default_spec() == "config.json"
    spec = parse_spec((tmp_path / "config.json").read_bytes())
    assert spec.root_path == "rootfs"
    (tmp_path / "config.json").write_text("mine")
    with pytest.raises(Conflict, match=r"config\.json \(remove it first"):
        write_default_spec()
    assert (tmp_path / "config.json").read_text() == "mine"


def test_default_spec_where_nothing_can_be_made(monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder that takes no file is one error."""
    monkeypatch.chdir("/proc")
    with pytest.raises(StoreError, match=r"cannot write: .*config\.json"):
        write_default_spec()
