"""`rootless.containers.located`: a container's image, wherever it lies by now."""

from dataclasses import replace
from pathlib import Path

import pytest

from rootless.containers import keep, located, record
from rootless.containers.container import OverlayRoot
from rootless.containers.record import MadeFrom, Record
from rootless.containers.request import RunRequest
from rootless.errors import Conflict, NotFound
from rootless.image.store import Store
from rootless.paths import Paths

NAMED = RunRequest(name="n")


def files_of(made: Record) -> tuple[Path, ...]:
    """Return what its root file system stands on."""
    root = made.container.root
    assert isinstance(root, OverlayRoot)
    return (root.tree, *root.layers)


def moved(loaded: Paths, tmp_path: Path) -> Paths:
    """Move the store; return where things lie then."""
    loaded.store.rename(tmp_path / "other")
    return replace(loaded, store=tmp_path / "other")


def test_where_it_was(loaded: Paths) -> None:
    """What lies where it lay is not looked for."""
    made = keep.kept(loaded, "pic", NAMED, again=True)
    assert located.located(loaded, made) is made


def test_a_moved_store(loaded: Paths, tmp_path: Path) -> None:
    """Tree and layers are found by their digests, the upperdir beside the record."""
    made = keep.kept(loaded, "pic", NAMED, again=True)
    there = moved(loaded, tmp_path)
    found = located.located(there, record.find(there, "n"))
    assert all(path.is_relative_to(tmp_path / "other") for path in files_of(found))
    assert [path.name for path in files_of(found)] == [path.name for path in files_of(made)]
    assert all(path.exists() for path in files_of(found))
    folder = record.folder_of(there, found)
    assert record.upperdir_of(found) == folder / "overlay"
    assert located.image_of(Store.open(there, create=False), found).config_digest


def test_an_upperdir_elsewhere_stays_there(loaded: Paths, tmp_path: Path) -> None:
    """One of the user's own is named as it was."""
    request = RunRequest(name="n", overlay="")
    keep.kept(loaded, "pic", replace(request, name="", overlay=str(tmp_path / "mine")), again=False)
    there = moved(loaded, tmp_path)
    (found,) = record.all_records(there)
    assert record.upperdir_of(found) == tmp_path / "mine"


def test_a_tree_that_is_gone(loaded: Paths) -> None:
    """It is made again."""
    made = keep.kept(loaded, "pic", NAMED, again=True)
    files_of(made)[0].unlink()
    assert files_of(located.located(loaded, made)) == files_of(made)
    assert files_of(made)[0].exists()


def test_an_image_that_is_gone(loaded: Paths) -> None:
    """One line says which, and that the container waits for it."""
    made = keep.kept(loaded, "pic", NAMED, again=True)
    for path in files_of(made):
        path.unlink()
    with pytest.raises(NotFound, match=r"image has gone: localhost/pic:latest: n \(bring"):
        located.located(loaded, made)


def test_a_bundle_has_no_image(loaded: Paths) -> None:
    """It is left as it is, and asked for its image it says so."""
    made = replace(keep.kept(loaded, "pic", NAMED, again=True), image=MadeFrom())
    assert located.located(loaded, made) is made
    with pytest.raises(Conflict, match="no image below it"):
        located.image_of(Store.open(loaded, create=False), made)
