"""Layers on top of each other."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import images
import pytest
import trees

from fuse.entry import Inode
from fuse.open_lower import open_lower
from fuse.stacked_lower import StackedLower


@pytest.fixture
def top(tmp_path: Path) -> Path:
    """A folder to lie on top."""
    folder = tmp_path / "top"
    folder.mkdir()
    return folder


@pytest.fixture
def stack(tmp_path: Path, top: Path) -> Iterator[StackedLower]:
    """Two tars, the upper of which has whiteouts, below the folder."""
    below = (
        images.LayerBuilder()
        .directory("both", mode=0o700)
        .file("both/below", b"1")
        .file("both/hidden", b"2")
        .file("file", b"3")
    )
    middle = images.LayerBuilder().whiteout("file").directory("both").file("both/middle", b"4")
    trees.build_tree(tmp_path / "tars", [below, middle])
    (top / "both").mkdir(mode=0o750)
    (top / "both/above").write_bytes(b"5")
    os.mknod(top / "both/hidden", stat.S_IFCHR, 0)
    tars = [str(trees.tar_path(tmp_path / "tars", number)) for number in (1, 0)]
    made = open_lower([str(top), *tars])
    assert isinstance(made, StackedLower)
    yield made
    made.close()


def found(stack: StackedLower, name: bytes, directory: Inode | None = None) -> Inode:
    """Look a name up that is there."""
    inode = stack.lookup(directory or stack.root, name)
    assert inode is not None
    return inode


def test_directories_merge(stack: StackedLower) -> None:
    """All layers' names show, with the uppermost's attributes and an unknown count of links."""
    both = found(stack, b"both")
    assert list(stack.names(both)) == [b"above", b"below", b"middle"]
    assert stat.S_IMODE(both.mode) == 0o750
    assert both.nlink == 1
    assert stack.lookup(both, b"hidden") is None
    assert stack.read(found(stack, b"below", both), 0, 9) == b"1"
    assert stack.read(found(stack, b"above", both), 0, 9) == b"5"


def test_whiteouts_among_tars(stack: StackedLower) -> None:
    """What a tar hides of a tar below it stays hidden."""
    assert stack.lookup(stack.root, b"file") is None
    assert list(stack.names(stack.root)) == [b"both"]


def test_names_of_a_file_are_not_known(stack: StackedLower) -> None:
    """No list of a file's names is offered, rather than one that may be wrong."""
    assert stack.paths(found(stack, b"below", found(stack, b"both"))) == ()


def test_a_whiteout_of_a_tar_hides_a_folder(tmp_path: Path) -> None:
    """A tar's whiteouts and opaque directories work on folders below it, too."""
    folder = tmp_path / "folder"
    (folder / "gone").mkdir(parents=True)
    (folder / "opaque").mkdir()
    (folder / "opaque/old").touch()
    (folder / "replaced").touch()
    (folder / "kept").mkdir(mode=0o711)
    (folder / "kept/old").touch()
    layer = (
        images.LayerBuilder()
        .whiteout("gone")
        .opaque("opaque")
        .file("opaque/new")
        .directory("replaced")
        .whiteout("kept/old")
    )
    trees.build_tree(tmp_path / "tars", [layer])
    stack = open_lower([str(trees.tar_path(tmp_path / "tars", 0)), str(folder)])
    try:
        assert isinstance(stack, StackedLower)
        assert list(stack.names(stack.root)) == [b"kept", b"opaque", b"replaced"]
        assert list(stack.names(found(stack, b"opaque"))) == [b"new"]
        assert list(stack.names(found(stack, b"replaced"))) == []
        kept = found(stack, b"kept")
        assert list(stack.names(kept)) == []
        # the tar does not name it: it is as the layer below has it
        assert stat.S_IMODE(kept.mode) == 0o711
    finally:
        stack.close()
