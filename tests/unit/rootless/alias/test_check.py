"""`rootless.alias.check`: what would surprise who calls an alias."""

from pathlib import Path

import pytest

from rootless.alias import shim
from rootless.alias.check import check_alias, check_path, check_shim
from rootless.alias.definition import Alias
from rootless.image.store import Store
from rootless.paths import Paths

ORIGIN = Path("/home/ann/aliases.toml")


@pytest.fixture
def found(tmp_path: Path) -> shim.Shim:
    """A shim in a folder."""
    text = shim.text_of("/bin/true", ["run"], ORIGIN)
    shim.write(tmp_path / "tool", text, ORIGIN)
    (made,) = shim.installed(tmp_path)
    return made


def test_all_is_well(found: shim.Shim) -> None:
    """A shim that is what it should be, first in the PATH, has no faults."""
    folder = found.path.parent
    assert list(check_shim(found, found.text, f"{folder}:/bin")) == []
    assert list(check_path(folder, f"/bin:{folder}")) == []


def test_the_folder_is_not_in_the_path(tmp_path: Path) -> None:
    """It is told how to put it there."""
    (said,) = check_path(tmp_path, "/bin")
    assert f"{tmp_path} is not in the PATH" in said
    assert "rootless alias init bash" in said


def test_what_has_changed(found: shim.Shim, tmp_path: Path) -> None:
    """A definition that is gone or says something else, a program that is gone, a lost mode."""
    path = str(found.path.parent)
    assert ["does not define it any more" in s for s in check_shim(found, None, path)] == [True]
    assert ["says something else" in s for s in check_shim(found, "x", path)] == [True]
    text = shim.text_of("/nonexistent/rootless", [], ORIGIN)
    gone = shim.Shim(found.path, ORIGIN, text)
    assert ["is not there" in s for s in check_shim(gone, text, path)] == [True]
    found.path.chmod(0o644)
    assert [s for s in check_shim(found, found.text, path) if "chmod +x" in s]


def test_another_command_comes_first(found: shim.Shim, tmp_path: Path) -> None:
    """Of two commands in the PATH the first is called."""
    first = tmp_path / "first"
    first.mkdir()
    (first / "tool").write_text("#!/bin/sh\n")
    (first / "tool").chmod(0o755)
    (said,) = check_shim(found, found.text, f"{first}:{found.path.parent}")
    assert said == f"{first}/tool comes before it in the PATH"


def test_an_image_that_is_not_there(tmp_path: Path) -> None:
    """The first call would pull it; a name that cannot be one is told as well."""
    store = Store.open(Paths(tmp_path, tmp_path / "run", tmp_path / "scratch"), create=True)
    (said,) = check_alias(Alias("a", "nosuch:1", ("a",)), store)
    assert said.startswith("no such image: nosuch:1")
    (said,) = check_alias(Alias("a", "No Such", ("a",)), store)
    assert "No Such" in said
