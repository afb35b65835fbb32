"""The image's owners as the mount shows them."""

import stat
from pathlib import Path

import pytest
from images import LayerBuilder
from trees import build_tree

from fuse import shown as shown_module
from fuse import wire
from fuse.entry import Inode
from fuse.ownership import IDTranslation, Squash
from fuse.shown import Shown
from fuse.tree import ROOT_INO, Tree

ALL = Squash((), 0)
MODE, NLINK, UID, GID = 9, 10, 11, 12  # among the fields of fuse_attr


def squash() -> Squash:
    """Return one that knows the IDs up to 999."""
    return Squash(((0, 1000),), 65534)


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    """Objects of several owners, and a directory with a subdirectory."""
    layer = (
        LayerBuilder()
        .directory("d", uid=8)
        .directory("d/sub")
        .file("f", uid=8, gid=70000)
        .file("g", uid=0, gid=9)
    )
    return Tree.open(build_tree(tmp_path / "tree", [layer]))


def owners(shown: Shown, tree: Tree) -> dict[bytes, tuple[int, int]]:
    """Return the owners that a listing of the root shows."""
    shown.owners(*tree.owners())
    chunk = shown.chunk(tree.chunk(ROOT_INO, 0))
    found, at = {}, 0
    while at < len(chunk.entries):
        nodeid, *fields = wire.ENTRY.unpack_from(chunk.entries, at)
        if nodeid:
            found[wire.name_at(chunk.entries, at)] = (fields[5 + UID], fields[5 + GID])
        at += wire.length_at(chunk.entries, at)
    return found


def test_what_is_shown_as_it_is_stays_packed(tree: Tree) -> None:
    """Where every owner is itself the listing is the tree's own, not a copy."""
    with tree:
        shown = Shown(ALL, ALL)
        shown.owners(*tree.owners())
        packed = tree.chunk(ROOT_INO, 0)
        assert shown.chunk(packed) is packed


def test_before_the_owners_are_known(tree: Tree) -> None:
    """Nothing is taken for granted: a listing that is packed again is the same all the same."""
    with tree:
        packed = tree.chunk(ROOT_INO, 0)
        assert Shown(ALL, ALL).chunk(packed) == packed


def test_owners_are_squashed(tree: Tree) -> None:
    """An ID that the user namespace lacks shows as the overflow ID, in listings and look-ups."""
    with tree:
        shown = Shown(squash(), squash())
        assert owners(shown, tree) == {b"d": (8, 0), b"f": (8, 65534), b"g": (0, 9)}
        file = tree.lookup(ROOT_INO, b"f")
        assert file is not None
        assert shown.attributes(file)[UID : GID + 1] == (8, 65534)
        assert wire.ENTRY.unpack(shown.entry(file))[6:] == shown.attributes(file)


def test_owners_are_translated(tree: Tree) -> None:
    """What is stored by other IDs is shown by the mapping, after the squash."""
    with tree:
        shown = Shown(
            squash(),
            squash(),
            IDTranslation(((100, 8, 1), (200, 0, 1))),
            IDTranslation(((5, 65534, 1), (0, 0, 1), (1, 9, 1))),
        )
        assert owners(shown, tree) == {b"d": (100, 0), b"f": (100, 5), b"g": (200, 1)}


def test_look_ups_and_listings_agree(tree: Tree) -> None:
    """An entry of a listing is the answer to the look-up of its name."""
    with tree:
        shown = Shown(squash(), squash(), IDTranslation(squashed=7), static_nlink=True)
        shown.owners(*tree.owners())
        entries = shown.chunk(tree.chunk(ROOT_INO, 0)).entries
        at = 0
        for _, inode in tree.children(ROOT_INO):
            assert entries[at : at + wire.ENTRY.size] == shown.entry(inode)
            at += wire.length_at(entries, at)


@pytest.mark.parametrize(("static_nlink", "expected"), [(True, 1), (False, 3)])
def test_static_nlink(tree: Tree, expected: int, *, static_nlink: bool) -> None:
    """Directories have one link if that is wanted; files keep theirs."""
    with tree:
        shown = Shown(ALL, ALL, static_nlink=static_nlink)
        shown.owners(*tree.owners())
        directory = tree.lookup(ROOT_INO, b"d")
        assert directory is not None
        assert shown.attributes(directory)[NLINK] == expected
        chunk = shown.chunk(tree.chunk(ROOT_INO, 0))
        assert wire.ENTRY.unpack_from(chunk.entries)[6 + NLINK] == expected


def test_files_keep_their_links() -> None:
    """Only of directories the links are not counted."""
    inode = Inode(3, stat.S_IFREG | 0o644, 7, 0, 0, 0, 0, 0, 0, 0, b"", sparse=False)
    assert Shown(ALL, ALL, static_nlink=True).attributes(inode)[NLINK] == 7


def test_as_many_owners_as_files(monkeypatch: pytest.MonkeyPatch) -> None:
    """A hostile image's owners are shown rightly, and only so many of them are remembered."""
    monkeypatch.setattr(shown_module, "_MANY", 10)
    shown = Shown(squash(), squash())
    many = list(range(20))
    shown.owners(many, [0])
    inode = Inode(3, stat.S_IFREG | 0o644, 1, 0, 0, 0, 0, 0, 0, 0, b"", sparse=False)
    for uid in [*many, 5000]:
        expected = uid if uid < 1000 else 65534
        assert shown.attributes(inode._replace(uid=uid))[UID] == expected
    assert len(shown._uids) == 10
    assert not shown._as_packed
