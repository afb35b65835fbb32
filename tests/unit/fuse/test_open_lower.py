"""Layers out of paths."""

import gzip
import os
from pathlib import Path

import images
import pytest
import trees

from fuse.open_lower import open_lower
from fuse.stacked_lower import StackedLower
from fuse.tree_lower import TreeLower


def test_tars_are_merged(tmp_path: Path) -> None:
    """Tars alone make a tree, with the index beside them or one that is made."""
    layers = [images.LayerBuilder().file("a", b"1"), images.LayerBuilder().file("b", b"2")]
    trees.build_tree(tmp_path, layers)
    (tmp_path / "1.index").unlink()
    lower = open_lower([str(tmp_path / "1.tar"), str(tmp_path / "0.tar")])
    try:
        assert isinstance(lower, TreeLower)
        assert list(lower.names(lower.root)) == [b"a", b"b"]
    finally:
        lower.close()


def test_folders_are_stacked(tmp_path: Path) -> None:
    """One folder is enough for a stack."""
    lower = open_lower([str(tmp_path)])
    assert isinstance(lower, StackedLower)
    lower.close()


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda path: None, "No such file"),
        (lambda path: path.write_bytes(gzip.compress(b"x" * 1024)), "compressed"),
        (lambda path: path.write_bytes(b"x" * 1024), "header|checksum|tar"),
        (os.mkfifo, "neither a folder nor a tar"),
    ],
)
def test_what_is_no_layer(tmp_path: Path, make: object, said: str) -> None:
    """A missing, compressed or damaged tar, or something else, is refused with a reason."""
    path = tmp_path / "layer.tar"
    assert callable(make)
    make(path)
    with pytest.raises((OSError, ValueError), match=said):
        open_lower([str(path), str(tmp_path)])
