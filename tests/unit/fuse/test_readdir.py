"""Cached listings of the lower tree."""

from collections.abc import Iterator
from pathlib import Path

import images
import pytest
from trees import build_tree

from fuse.entry import Inode
from fuse.readdir import ListingCache
from fuse.tree import ROOT_INO, Tree


@pytest.fixture
def tree(tmp_path: Path) -> Iterator[Tree]:
    """Three folders with ten files each, one of them hard-linked into the others."""
    layer = images.LayerBuilder()
    for folder in ("a", "b", "c"):
        layer.directory(folder)
        for number in range(10):
            layer.file(f"{folder}/f{number}", b"x")
    layer.hard_link("c/zz", "a/f0")
    with Tree.open(build_tree(tmp_path / "tree", [layer])) as opened:
        yield opened


def name_of(inode: Inode) -> str:
    """Stand for an entry's attributes."""
    return f"attributes of {inode.ino}"


def test_lists_by_name(tree: Tree) -> None:
    """Names, attributes and objects of one directory, subdirectories noted."""
    cache = ListingCache(tree, name_of)
    listing = cache.listing(ROOT_INO)
    assert listing.names == [b"a", b"b", b"c"]
    assert listing.attributes == [name_of(inode) for inode in listing.inodes.values()]
    assert listing.directories == list(listing.inodes)


def test_keeps_a_listing(tree: Tree) -> None:
    """The same listing is given again."""
    cache = ListingCache(tree, name_of)
    assert not cache.is_kept(ROOT_INO)
    assert cache.listing(ROOT_INO) is cache.listing(ROOT_INO)
    assert cache.is_kept(ROOT_INO)


def test_lookup_agrees_with_and_without_a_listing(tree: Tree) -> None:
    """A name is found or absent alike, whether its directory was listed or not."""
    listed, fresh = ListingCache(tree, name_of), ListingCache(tree, name_of)
    a = listed.listing(ROOT_INO).directories[0]
    listed.listing(a)
    for name in (b"f0", b"f9", b"", b"f", b"g", b"zzz"):
        assert listed.lookup(a, name) == fresh.lookup(a, name)
    assert listed.lookup(a, b"f0") is not None
    assert listed.lookup(a, b"g") is None


def test_finds_objects_by_number(tree: Tree) -> None:
    """An object is the same out of a listing and out of the tree; unknown numbers raise."""
    cache = ListingCache(tree, name_of)
    a = cache.listing(ROOT_INO).directories[0]
    holder = cache.listing(a)
    for ino in holder.inodes:
        assert cache.inode(ino) == tree.inode(ino)
        assert cache.holder(ino) is holder
    with pytest.raises(KeyError):
        cache.inode(10_000)


def test_drops_the_listing_that_was_used_least(tree: Tree) -> None:
    """The bound counts entries; what was used last stays; a hard link's holder is not lost."""
    cache = ListingCache(tree, name_of, entries_kept=24)
    a, b, c = cache.listing(ROOT_INO).directories
    linked = tree.lookup(a, b"f0")
    assert linked is not None
    cache.listing(a)
    cache.listing(b)
    cache.listing(a)
    cache.listing(c)
    assert not cache.is_kept(ROOT_INO)
    assert not cache.is_kept(b)
    assert cache.is_kept(c)
    holder = cache.holder(linked.ino)
    assert holder is not None
    assert linked.ino in holder.inodes
