"""What a name stands for."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import images
import pytest
from overlays import Core

from fuse.node import Link
from fuse.tree_lower import TreeLower

if TYPE_CHECKING:
    from fuse.entry import Inode


@pytest.fixture
def core(tmp_path: Path) -> Iterator[Core]:
    """A folder and a file below; the same names and others above."""
    layer = (
        images.LayerBuilder()
        .directory("both")
        .file("both/below", b"1")
        .file("both/hidden", b"2")
        .directory("opaque")
        .file("opaque/below", b"3")
        .file("file", b"4")
        .directory("replaced")
        .symlink("link", "file")
        .hard_link("again", "file")
    )
    upper = tmp_path / "upper"
    (upper / "both").mkdir(parents=True)
    (upper / "both/above").write_bytes(b"5")
    os.mknod(upper / "both/hidden", 0o020000)
    (upper / "opaque").mkdir()
    os.setxattr(upper / "opaque", "user.overlay.opaque", b"y")
    (upper / "replaced").write_bytes(b"now a file")
    with Core(tmp_path, [layer]) as made:
        yield made


def test_merges_directories(core: Core) -> None:
    """Both halves show, whiteouts hide, opaque directories hide all."""
    assert core.names() == [b"again", b"both", b"file", b"link", b"opaque", b"replaced"]
    assert core.names("both") == [b"above", b"below"]
    assert core.names("opaque") == []
    assert not core.exists("both/hidden")
    assert not core.exists("opaque/below")


def test_numbers(core: Core) -> None:
    """Lower and merged objects have the tree's numbers, upper ones larger ones, all stable."""
    lower = core.overlay.lower
    both = lower.lookup(lower.root, b"both")
    assert both is not None
    assert core.node("both").ino == both.ino
    top = lower.last_ino
    numbers = {path: core.node(path).ino for path in ("both/above", "replaced", "opaque", "file")}
    assert all(ino > top for path, ino in numbers.items() if path != "file")
    assert numbers["file"] <= top
    core.remounted()
    assert {path: core.node(path).ino for path in numbers} == numbers


def test_status(core: Core) -> None:
    """Attributes come from where the object is; a merged directory's link count is unknown."""
    overlay = core.overlay
    assert overlay.status(core.node("file")).size == 1
    assert overlay.status(core.node("replaced")).size == 10
    assert overlay.status(core.node("both")).nlink == 1
    assert overlay.status(core.node("file")).nlink == 2


def test_links(core: Core) -> None:
    """A symbolic link's target is read; hard links are one node."""
    assert core.overlay.readlink(core.node("link")) == b"file"
    assert core.node("file") is core.node("again")


def test_an_absent_name(core: Core) -> None:
    """Find gives None and require raises ENOENT."""
    assert core.overlay.find(Link(core.root, b"nothing")) is None
    with pytest.raises(FileNotFoundError):
        core.overlay.require(Link(core.root, b"nothing"))


def test_a_root_that_is_opaque(tmp_path: Path) -> None:
    """An opaque upperdir hides the whole image."""
    (tmp_path / "upper").mkdir()
    os.setxattr(tmp_path / "upper", "user.overlay.opaque", b"y")
    with Core(tmp_path, [images.LayerBuilder().file("f")]) as core:
        assert core.names() == []


def test_override_stat_is_shown(core: Core) -> None:
    """An owner that could not be stored is shown from its attribute; a damaged one is ignored."""
    path = core.upperdir / "both/above"
    os.setxattr(path, "user.containers.override_stat", b"0:0:4711:char-1-3")
    status = core.overlay.status(core.node("both/above"))
    assert (status.mode, status.rdev) == (0o024711, os.makedev(1, 3))
    os.setxattr(path, "user.containers.override_stat", b"damaged")
    assert core.overlay.status(core.node("both/above")).mode & 0o170000 == 0o100000


def test_a_lower_node_without_its_object_is_stale(core: Core) -> None:
    """What has neither half raises ESTALE."""
    node = core.node("file")
    node.lower = None
    with pytest.raises(OSError, match="Stale"):
        core.overlay.status(node)


def test_owner(core: Core) -> None:
    """The squash applies to what is copied up, too."""
    inode: Inode | None = core.node("link").lower
    assert inode is not None
    assert core.overlay.owner(inode) == (os.getuid(), os.getgid())


def test_directories_are_synced_where_they_are(core: Core, monkeypatch: pytest.MonkeyPatch) -> None:
    """A directory of the upperdir is brought to the disk by a descriptor that can be synced."""
    synced = []
    monkeypatch.setattr(os, "fsync", lambda fd: synced.append(os.fstat(fd).st_ino))
    core.overlay.upper.sync(core.root)
    core.overlay.upper.sync(core.node("both"))
    assert synced == [core.upperdir.stat().st_ino, (core.upperdir / "both").stat().st_ino]


def test_a_node_by_its_number(tmp_path: Path) -> None:
    """An object of the tree gets its node and its directories', however deep it lies."""
    layer = images.LayerBuilder().directory("a").directory("a/b").file("a/b/file", b"deep")
    with Core(tmp_path, [layer]) as core:
        overlay, lower = core.overlay, core.overlay.lower
        assert isinstance(lower, TreeLower)
        found = {path: inode.ino for path, inode in lower.tree.walk()}
        overlay.nodes.expect(lower.last_ino)
        overlay.nodes.tell(found[b"a/b"], (found[b"a/b/file"],))
        node = overlay.node(found[b"a/b/file"])
        assert overlay.node(node.ino) is node
        assert node.lookups == 1
        assert [parent.ino for parent, _ in node.links] == [found[b"a/b"]]
        overlay.nodes.forget(node.ino, 1)
        assert len(overlay.nodes) == 1


def test_a_number_that_stands_for_nothing_any_more(core: Core) -> None:
    """What the upperdir hides is stale, as is what neither half has."""
    lower = core.overlay.lower
    both = lower.lookup(lower.root, b"both")
    assert both is not None
    hidden = lower.lookup(both, b"hidden")
    assert hidden is not None
    for ino in (hidden.ino, 10**9):
        with pytest.raises(OSError, match=r"Stale|No such file"):
            core.overlay.node(ino)
    assert core.overlay.nodes.known(hidden.ino) is None


def test_a_number_in_vain_leaves_nothing(core: Core) -> None:
    """A search that ends in nothing keeps no node of what it went through."""
    lower = core.overlay.lower
    both = lower.lookup(lower.root, b"both")
    assert both is not None
    hidden = lower.lookup(both, b"hidden")
    assert hidden is not None
    with pytest.raises(OSError, match=r"Stale|No such file"):
        core.overlay.node(hidden.ino)
    assert len(core.overlay.nodes) == 1


def test_names_of_the_upperdir(core: Core) -> None:
    """What it shows in a directory, and what it hides; nothing where it has no part in it."""
    overlay = core.overlay
    assert overlay.upper_names(core.node("both")) == ({b"above"}, {b"hidden"})
    node = core.node("file")
    assert overlay.upper_names(node) == (set(), set())
