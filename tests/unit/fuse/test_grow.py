"""A tree with one more layer on top means what merging all of the layers anew means."""

import os
import struct
from pathlib import Path

import pytest
from images import LayerBuilder
from random_image import random_layers
from trees import build_index

from fuse import wire
from fuse.compare import tree_fault
from fuse.grow import grow
from fuse.merge import MergeError, merge
from fuse.tree import ROOT_INO, Tree

Shown = dict[bytes, tuple[object, ...]]


def shown(tree: Tree) -> Shown:
    """Return all that a tree says, by path, with names for the numbers of objects."""
    first: dict[int, bytes] = {}
    found: Shown = {}
    for path, inode in tree.walk():
        name = first.setdefault(inode.ino, path)
        xattrs, extents = tree.xattrs(inode.ino), tree.extents(inode.ino)
        found[path] = (name, inode[1:], xattrs, extents)
    return found


def packed(tree: Tree) -> dict[bytes, list[bytes]]:
    """Return the directories as the kernel is given them, with names for the numbers."""
    paths = {inode.ino: path for path, inode in reversed(list(tree.walk()))}
    found = {}
    for path, inode in tree.walk():
        if inode.mode & 0o170000 == 0o040000:
            found[path] = list(_entries(tree, inode.ino, paths))
    return found


def _entries(tree: Tree, directory: int, paths: dict[int, bytes]) -> list[bytes]:
    entries, position, is_last = [], 0, False
    while not is_last:
        chunk = tree.chunk(directory, position)
        is_last = chunk.is_last
        assert chunk.first == position
        position += chunk.number
        at, view = 0, memoryview(chunk.entries)
        while at < len(view):
            following = at + wire.length_at(view, at)
            one = bytes(view[at:following])
            entries.append(_named(one, paths))
            at = following
    return entries


def _named(one: bytes, paths: dict[int, bytes]) -> bytes:
    """Return one entry with the path of its object for each of its numbers."""
    (node,) = struct.unpack_from("=Q", one)
    (attribute,) = struct.unpack_from("=Q", one, 40)
    (dirent,) = struct.unpack_from("=Q", one, wire.ENTRY.size)
    named = b"|".join(paths.get(number, b"?") for number in (node, attribute, dirent) if number)
    rest = one[8:40] + one[48 : wire.ENTRY.size] + one[wire.ENTRY.size + 8 :]
    return named + b"|" + rest


def indexes_of(tmp_path: Path, layers: list[LayerBuilder]) -> list[Path]:
    """Write the indexes of layers."""
    paths = [tmp_path / f"{number}.index" for number in range(len(layers))]
    return [build_index(path, layer) for path, layer in zip(paths, layers, strict=True)]


def grown(tmp_path: Path, indexes: list[Path], below: int) -> Path:
    """Merge some of the layers, and put the others on top one by one."""
    tree = tmp_path / "tree-0"
    merge(indexes[:below], tree)
    for number in range(below, len(indexes)):
        out = tmp_path / f"tree-{number}"
        out.write_bytes(b"what it held before")
        grow(tree, indexes[number], number, out)
        tree = out
    return tree


def compare(tmp_path: Path, layers: list[LayerBuilder], below: int) -> None:
    """Compare what was grown with what was merged."""
    indexes = indexes_of(tmp_path, layers)
    merge(indexes, tmp_path / "merged")
    tree = grown(tmp_path, indexes, below)
    assert tree_fault(tree) == ""
    with Tree.open(tmp_path / "merged") as expected, Tree.open(tree) as found:
        assert shown(found) == shown(expected)
        assert packed(found) == packed(expected)
        assert found.statistics.bytes == expected.statistics.bytes
        assert found.has_xattrs == expected.has_xattrs
        highest = max(inode.ino for _, inode in found.walk())
        assert found.statistics.inodes >= highest
        for each, before in zip(found.owners(), expected.owners(), strict=True):
            assert set(each) >= set(before)


@pytest.mark.parametrize("seed", range(40))
def test_random_layers(tmp_path: Path, seed: int) -> None:
    """Whiteouts, opaque directories, changes of type and hard links of any kind."""
    has_lower_links = seed % 2 == 0
    layers = random_layers(seed, 4, operations=40, has_lower_links=has_lower_links)
    compare(tmp_path, layers, 1 + seed % 3)


def test_what_is_in_no_random_layer(tmp_path: Path) -> None:
    """A root of its own, a directory that nobody names, links of a layer, a name in two places."""
    below = LayerBuilder().directory("d", mode=0o700).file("d/f", b"1").hard_link("e/g", "d/f")
    below.file("keep/me", b"2").symlink("way", "d").file("sub/x/y", b"3").file("big", b"x" * 9000)
    above = LayerBuilder().directory("", mode=0o711).whiteout("d/f").file("new/deep/file", b"4")
    above.symlink("own", "keep").file("own/it", b"5").opaque("sub").file("sub/z", b"6")
    above.hard_link("again", "e/g").directory("d", mode=0o755).file("big", b"y")
    compare(tmp_path, [below, above, LayerBuilder().whiteout("sub").file("sub", b"")], 1)


def test_nothing_new(tmp_path: Path) -> None:
    """An empty layer changes nothing."""
    compare(tmp_path, [LayerBuilder().file("a/b", b"1"), LayerBuilder()], 1)


def test_a_layer_that_does_not_fit(tmp_path: Path) -> None:
    """A hard link to nothing is refused as a merge refuses it."""
    layers = [LayerBuilder().file("a", b"1"), LayerBuilder().hard_link("b", "none")]
    indexes = indexes_of(tmp_path, layers)
    with pytest.raises(MergeError, match="none"):
        grown(tmp_path, indexes, 1)
    with Tree.open(tmp_path / "tree-0") as tree:
        assert tree.lookup(ROOT_INO, b"a") is not None
    assert os.path.exists(tmp_path / "tree-1")
