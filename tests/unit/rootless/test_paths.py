"""Where things lie."""

import os
import tempfile
from pathlib import Path

import pytest

from rootless.paths import Paths

HOME = {"HOME": "/home/ann"}


@pytest.mark.parametrize(
    ("environ", "store"),
    [
        ({}, "/home/ann/.local/share/rootless"),
        ({"XDG_DATA_HOME": "/data"}, "/data/rootless"),
        ({"XDG_DATA_HOME": "data"}, "/home/ann/.local/share/rootless"),
        ({"XDG_DATA_HOME": ""}, "/home/ann/.local/share/rootless"),
        ({"ROOTLESS_HOME": "/images", "XDG_DATA_HOME": "/data"}, "/images"),
        ({"ROOTLESS_HOME": "images"}, "/home/ann/.local/share/rootless"),
    ],
)
def test_store(environ: dict[str, str], store: str) -> None:
    """ROOTLESS_HOME, then the XDG folder, then the default; relative and empty ones are ignored."""
    paths = Paths.from_environment({**HOME, **environ})
    assert paths.store == Path(store)
    assert paths.scratch == Path(store) / "scratch"


def test_scratch() -> None:
    """ROOTLESS_SCRATCH moves what is written by runs to another disk."""
    environ = {**HOME, "ROOTLESS_SCRATCH": "/fast"}
    assert Paths.from_environment(environ).scratch == Path("/fast")


def test_runtime_folder(tmp_path: Path) -> None:
    """XDG_RUNTIME_DIR where it can be written; what an ended session left is not used."""
    inside = Paths.from_environment({**HOME, "XDG_RUNTIME_DIR": str(tmp_path)})
    assert inside.runtime == tmp_path / "rootless"
    own = Path(tempfile.gettempdir()) / f"rootless-{os.getuid()}"
    for value in (str(tmp_path / "gone"), "relative", ""):
        assert Paths.from_environment({**HOME, "XDG_RUNTIME_DIR": value}).runtime == own


def test_nothing_is_made(tmp_path: Path) -> None:
    """Looking at the environment makes no folder."""
    Paths.from_environment({"HOME": str(tmp_path), "XDG_RUNTIME_DIR": str(tmp_path)})
    assert list(tmp_path.iterdir()) == []


def test_home_without_a_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without HOME the account's own home counts."""
    monkeypatch.delenv("HOME", raising=False)
    assert Paths.from_environment({}).store.is_absolute()


@pytest.mark.parametrize(
    ("value", "stores"),
    [
        (None, None),
        ("", ()),
        ("/a", (Path("/a"),)),
        ("/a:b::/c", (Path("/a"), Path("/c"))),
    ],
)
def test_additional_stores(value: str | None, stores: tuple[Path, ...] | None) -> None:
    """Absolute folders parted by colons; an empty list is not the same as none."""
    environ = HOME if value is None else {**HOME, "ROOTLESS_ADDITIONAL_STORES": value}
    assert Paths.from_environment(environ).additional_stores == stores


def test_settings() -> None:
    """The user's file, below the XDG folder or ~/.config, comes before the machine's."""
    machine = Path("/etc/rootless/config.toml")
    own = Path("/home/ann/.config/rootless/config.toml")
    assert Paths.from_environment(HOME).settings == (own, machine)
    elsewhere = Paths.from_environment({**HOME, "XDG_CONFIG_HOME": "/c"})
    assert elsewhere.settings == (Path("/c/rootless/config.toml"), machine)
