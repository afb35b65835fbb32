"""Listings that are there before they are asked for."""

from collections.abc import Iterator
from pathlib import Path

import images
import pytest
from trees import build_tree

from fuse.listing import Chunk
from fuse.listing_ahead import ListingAhead
from fuse.tree import ROOT_INO, Tree

FOLDERS = 30


@pytest.fixture
def tree(tmp_path: Path) -> Iterator[Tree]:
    """Many folders in one, with a file each."""
    layer = images.LayerBuilder()
    for number in range(FOLDERS):
        layer.directory(f"d{number:02}").file(f"d{number:02}/file")
    with Tree.open(build_tree(tmp_path / "tree", [layer])) as opened:
        yield opened


@pytest.fixture
def folders(tree: Tree) -> list[int]:
    """Their numbers, in the order of a walk."""
    return [inode.ino for _, inode in tree.children(ROOT_INO)]


@pytest.fixture
def ahead(tree: Tree) -> ListingAhead[Chunk]:
    """Keeps chunks as they are."""
    return ListingAhead(tree, lambda chunk: chunk)


def read_ahead(ahead: ListingAhead[Chunk]) -> int:
    """Use the gap as far as there is anything to do; return how much that was."""
    steps = 0
    while ahead.step():
        steps += 1
    return steps


def test_a_walk(tree: Tree, folders: list[int], ahead: ListingAhead[Chunk]) -> None:
    """From the third directory on all are there, and never many more than are wanted."""
    assert ahead.take(folders[0], 0) is None
    assert read_ahead(ahead) == 0
    assert ahead.take(folders[1], 0) is None
    assert 0 < read_ahead(ahead) < FOLDERS // 2
    for folder in folders[2:]:
        assert ahead.take(folder, 0) == tree.chunk(folder, 0)
        assert read_ahead(ahead) <= 1
    assert ahead.take(folders[-1], 0) is None  # it was taken


def test_directories_that_are_left_out(
    tree: Tree, folders: list[int], ahead: ListingAhead[Chunk]
) -> None:
    """They are let go of, and others read in their place."""
    for folder in folders[:2]:
        ahead.take(folder, 0)
    for folder in folders[5::3]:
        read_ahead(ahead)
        assert ahead.take(folder, 0) == tree.chunk(folder, 0)


def test_no_order(folders: list[int], ahead: ListingAhead[Chunk]) -> None:
    """Who goes backwards, or asks for the rest of a listing, has nothing read for him."""
    for folder in reversed(folders):
        assert ahead.take(folder, 0) is None
        assert ahead.take(folder, 3) is None
        assert read_ahead(ahead) == 0
