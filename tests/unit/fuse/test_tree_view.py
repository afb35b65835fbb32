"""A tree as the kernel is shown it."""

import errno
import os
from collections.abc import Iterator
from pathlib import Path

import images
import pytest
from trees import build_tree

from fuse import wire
from fuse.ownership import Squash
from fuse.shown import Shown
from fuse.tree import ROOT_INO, Tree
from fuse.tree_view import TreeView

COUNT = 500  # entries of a directory that is several chunks


@pytest.fixture
def tree(tmp_path: Path) -> Iterator[Tree]:
    """Two directories, one of them large, and a file."""
    layer = images.LayerBuilder().directory("big").directory("small").file("file", uid=70000)
    for number in range(COUNT):
        layer.file(f"big/f{number:03}")
    with Tree.open(build_tree(tmp_path / "tree", [layer])) as opened:
        yield opened


@pytest.fixture
def view(tree: Tree) -> TreeView:
    """The tree, with what the user namespace lacks squashed."""
    squash = Squash(((0, 1000),), 65534)
    return TreeView(tree, Shown(squash, squash))


def positions(entries: "bytes | memoryview") -> list[int]:
    """Return the positions of packed entries."""
    found, at = [], 0
    while at < len(entries):
        found.append(wire.DIRENT.unpack_from(entries, at + wire.ENTRY.size)[1])
        at += wire.length_at(entries, at)
    return found


def number(view: TreeView, name: bytes) -> int:
    """Return the number of an object in the root."""
    found = view.lookup(ROOT_INO, name)
    assert found is not None
    return found.ino


def test_names_and_objects(view: TreeView, tree: Tree) -> None:
    """They are the tree's, with owners as they are shown."""
    file = view.lookup(ROOT_INO, b"file")
    assert file is not None
    assert view.inode(file.ino) == file == tree.inode(file.ino)
    assert view.lookup(ROOT_INO, b"none") is None
    assert view.children(ROOT_INO) == tree.children(ROOT_INO)
    assert 65534 in view.attributes(file)
    assert wire.ENTRY.unpack(view.entry(file))[6:] == view.attributes(file)


def test_a_directory_in_pieces(view: TreeView) -> None:
    """From each position on comes what is behind it, out of whatever chunk it is in."""
    big, small = number(view, b"big"), number(view, b"small")
    found: list[int] = []
    while piece := positions(view.part(big, found[-1] if found else 0, 3000)):
        found += piece
    assert found == list(range(1, COUNT + 3))
    assert positions(view.part(small, 0, 4096)) == [1, 2]
    for start in (COUNT + 1, 3, 400, 0, 200):
        assert positions(view.part(big, start, 500))[0] == start + 1
        assert not view.part(small, 2, 4096)


def test_numbers_that_the_tree_lacks(view: TreeView) -> None:
    """They are stale; so are files as directories."""
    for ask in (
        lambda: view.inode(4711),
        lambda: view.part(4711, 0, 4096),
        lambda: view.part(number(view, b"file"), 0, 4096),
    ):
        with pytest.raises(OSError, match=os.strerror(errno.ESTALE)):
            ask()


@pytest.mark.parametrize("counts", [False, True])
def test_listings_that_are_read_ahead(tree: Tree, *, counts: bool) -> None:
    """Who walks gets the same as who asks for one directory."""
    squash = Squash((), 0)
    view = TreeView(tree, Shown(squash, squash), counts=counts)
    alone = {}
    for name in (b"", b"big", b"small"):
        ino = number(view, name) if name else ROOT_INO
        fresh = TreeView(tree, Shown(squash, squash))
        alone[ino] = [bytes(fresh.part(ino, start, 32 << 10)) for start in (0, 200, 400)]
    for ino, expected in alone.items():
        assert [bytes(view.part(ino, start, 32 << 10)) for start in (0, 200, 400)] == expected
        while view.step():
            pass
