"""Objects of the tree that nobody has changed, in a writable mount."""

import os
from collections.abc import Iterator
from pathlib import Path

import images
import pytest
from unit.kernel_side import Mount, mounted

from fuse import listing, wire
from fuse.entry import Inode
from fuse.fast_path import Then
from fuse.node import Link
from fuse.untouched import Untouched, is_hard_linked


@pytest.fixture
def mount(tmp_path: Path) -> Iterator[Mount]:
    """A folder with files, a folder, and a file that another folder has, too."""
    layer = (
        images.LayerBuilder()
        .directory("d")
        .file("d/a", b"a")
        .file("d/linked", b"linked")
        .directory("d/sub")
        .file("d/sub/deep", b"deep")
        .file("d/z", b"z")
        .directory("e")
        .hard_link("e/same", "d/linked")
    )
    with mounted(tmp_path, [layer]) as made:
        yield made


def of(mount: Mount) -> Untouched:
    """Return what is asked."""
    assert mount.served.untouched is not None
    return mount.served.untouched


def inode(mode: int, nlink: int) -> Inode:
    """Return an object."""
    return Inode(5, mode, nlink, 0, 0, 0, 0, 0, 0, 0, b"", sparse=False)


@pytest.mark.parametrize(
    ("mode", "nlink", "expected"),
    [(0o100644, 1, False), (0o100644, 2, True), (0o040755, 5, False), (0o120777, 2, True)],
)
def test_files_with_several_names(mode: int, nlink: int, *, expected: bool) -> None:
    """Anything but a directory, whose links are its subdirectories."""
    assert is_hard_linked(inode(mode, nlink)) == expected


def test_what_is_known(mount: Mount) -> None:
    """An object is known from its first look-up until it is forgotten, or has a node."""
    file = mount.find("d/a")
    assert of(mount).knows(file.ino)
    assert of(mount).inode(file.ino).size == file.size
    assert not of(mount).knows(mount.find("d/linked").ino)
    mount.forget(file.ino, 1)
    assert not of(mount).knows(file.ino)
    mount.find("d/a")
    mount.core.overlay.node(file.ino)
    assert not of(mount).knows(file.ino)


def test_plain_directories(mount: Mount) -> None:
    """Those that the kernel knows and nothing was changed in, with a node or without."""
    root, directory, sub = 1, mount.find("d").ino, mount.find("d/sub").ino
    assert not of(mount).is_plain(root)  # the upperdir is there, whatever is in it
    assert of(mount).is_plain(directory)
    assert of(mount).is_plain(sub)
    assert not of(mount).is_plain(4711)
    mount.mknod(sub, b"new", 0o100644)
    assert not of(mount).is_plain(sub)
    assert not of(mount).is_plain(directory)
    assert of(mount).is_plain(mount.find("e").ino)


def test_a_removed_directory_is_not_plain(mount: Mount) -> None:
    """It shows nothing, whatever the tree has there."""
    directory = mount.find("e").ino
    mount.unlink(directory, b"same")
    mount.rmdir(1, b"e")
    assert not of(mount).is_plain(directory)


def test_look_ups(mount: Mount) -> None:
    """They are answered and counted, but for what has a node or has to have one."""
    directory, untouched = mount.find("d").ino, of(mount)
    assert untouched.lookup(directory, b"none") == wire.ABSENT
    assert untouched.lookup(directory, b"linked") is None
    answer = untouched.lookup(directory, b"a")
    assert answer is not None
    (ino,) = wire.NUMBER.unpack_from(answer)
    assert mount.core.overlay.nodes.told.count(ino) == 1
    mount.told[ino] += 1
    mount.core.overlay.node(ino)
    assert untouched.lookup(directory, b"a") is None


def test_listings_count(mount: Mount) -> None:
    """Every entry that is given counts once, those with nodes there."""
    directory = mount.find("d").ino
    nodes = mount.core.overlay.nodes
    fh = mount.opendir(directory)
    found = {each.name: each.ino for each in mount.read_rest(directory, fh)}
    assert sorted(found) == [b".", b"..", b"a", b"linked", b"sub", b"z"]
    linked = nodes.known(found[b"linked"])
    assert linked is not None
    assert linked.lookups == 1
    assert linked.links == [Link(mount.core.overlay.node(directory), b"linked")]
    assert [nodes.told.count(found[name]) for name in (b"a", b"sub", b"z")] == [1, 1, 1]
    assert [nodes.told.home(found[name]) for name in (b"a", b"sub", b"z")] == [directory] * 3


def test_a_listing_without_several_names_is_the_packed_one(tmp_path: Path) -> None:
    """It is given as it stands, and counts once it is written."""
    layer = images.LayerBuilder().directory("d").file("d/a").file("d/b")
    with mounted(tmp_path, [layer]) as mount:
        directory = mount.find("d").ino
        part = of(mount).part(directory, 0, 4096)
        assert isinstance(part, Then)
        assert isinstance(part.body, bytes)
        numbers, _ = listing.numbers(part.body)
        assert not any(map(of(mount).knows, numbers))
        part.then()
        assert all(map(of(mount).knows, numbers))
        for ino in numbers:
            mount.told[ino] += 1


def test_links_left_are_counted(mount: Mount) -> None:
    """A listing says how many names of a file are left, not how many the tree has."""
    other = mount.find("e").ino
    mount.unlink(other, b"same")
    directory = mount.find("d").ino
    assert of(mount).is_plain(directory)
    fh = mount.opendir(directory)
    (entry,) = [each for each in mount.read_rest(directory, fh) if each.name == b"linked"]
    assert entry.attr is not None
    assert entry.attr.nlink == 1
    assert entry.attr == mount.getattr(entry.ino)


def test_a_copy_shows_under_all_names(mount: Mount) -> None:
    """A file that was changed by one name has changed by the others, listed or looked up."""
    same = mount.find("e/same").ino
    with mount.opened(same, os.O_WRONLY | os.O_TRUNC) as fh:
        mount.write(same, fh, b"changed")
    directory = mount.find("d").ino
    fh = mount.opendir(directory)
    (entry,) = [each for each in mount.read_rest(directory, fh) if each.name == b"linked"]
    assert entry.attr is not None
    assert (entry.ino, entry.attr.size) == (same, 7)
    assert mount.contents(mount.find("d/linked").ino) == b"changed"


def test_a_file_without_a_node_is_changed(mount: Mount) -> None:
    """Its directories get nodes with it, and their counts go along."""
    deep = mount.find("d/sub/deep")
    with mount.opened(deep.ino, os.O_WRONLY) as fh:
        mount.write(deep.ino, fh, b"DE")
    assert mount.contents(deep.ino) == b"DEep"
    nodes = mount.core.overlay.nodes
    for path in ("d", "d/sub", "d/sub/deep"):
        node = nodes.known(mount.find(path).ino)
        assert node is not None
        assert node.lookups == mount.told[node.ino]


def test_a_directory_may_be_forgotten_before_its_files(mount: Mount) -> None:
    """A file is found by its number all the same, and its directories are there as long as it."""
    deep = mount.find("d/sub/deep").ino
    for path in ("d/sub", "d"):
        ino = mount.find(path).ino
        mount.forget(ino, mount.told[ino])
    with mount.opened(deep, os.O_WRONLY) as fh:
        mount.write(deep, fh, b"DE")
    assert mount.contents(deep) == b"DEep"
    assert (mount.upperdir / "d/sub/deep").read_bytes() == b"DEep"


def test_children(mount: Mount) -> None:
    """What the tree has in a directory, by name; None for a file that needs a node."""
    node = mount.core.overlay.node(mount.find("d").ino)
    found = dict(of(mount).children(node))
    assert list(found) == [b"a", b"linked", b"sub", b"z"]
    assert found[b"linked"] is None
    assert found[b"a"] is not None
    node.lower = None
    assert list(of(mount).children(node)) == []
