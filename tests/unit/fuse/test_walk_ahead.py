"""Listings made ready for a walk."""

from collections.abc import Iterator
from pathlib import Path

import images
import pytest
from trees import build_tree

from fuse import walk_ahead
from fuse.readdir import ListingCache
from fuse.tree import ROOT_INO, Tree
from fuse.walk_ahead import WalkAhead


@pytest.fixture
def listings(tmp_path: Path) -> Iterator[ListingCache[int]]:
    """Twenty folders with two each."""
    layer = images.LayerBuilder()
    for number in range(20):
        layer.directory(f"d{number:02}")
        for name in ("x", "y"):
            layer.directory(f"d{number:02}/{name}")
    with Tree.open(build_tree(tmp_path / "tree", [layer])) as tree:
        yield ListingCache(tree, lambda inode: inode.ino)


def drain(ahead: WalkAhead) -> int:
    """Work until there is none."""
    done = 0
    while ahead.step():
        done += 1
    return done


def test_waits_for_a_pattern(listings: ListingCache[int]) -> None:
    """One listing, or listings in no order, start nothing."""
    ahead = WalkAhead(listings)
    ahead.listed(ROOT_INO)
    assert drain(ahead) == 0
    folders = listings.listing(ROOT_INO).directories
    for ino in (folders[15], folders[3], folders[11]):
        ahead.listed(ino)
        assert drain(ahead) == 0


def test_makes_the_next_ones_ready(listings: ListingCache[int]) -> None:
    """A walk in order finds its next directories kept, and only a few are made at a time."""
    ahead = WalkAhead(listings)
    hits = total = 0
    stack = [ROOT_INO]
    while stack:
        ino = stack.pop()
        hits += listings.is_kept(ino)
        total += 1
        ahead.listed(ino)
        assert drain(ahead) <= walk_ahead._AHEAD
        stack += reversed(listings.listing(ino).directories)
    assert total == 61
    assert hits >= total - 4
    assert drain(ahead) == 0


def test_a_listing_elsewhere_stops_it(listings: ListingCache[int]) -> None:
    """When the walk ends, nothing more is done."""
    ahead = WalkAhead(listings)
    folders = listings.listing(ROOT_INO).directories
    for ino in (ROOT_INO, folders[0], listings.listing(folders[0]).directories[0]):
        ahead.listed(ino)
    ahead.listed(folders[18])
    assert drain(ahead) == 0
