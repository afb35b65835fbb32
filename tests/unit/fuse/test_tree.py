"""A merged tree, read on demand."""

import sqlite3
import stat
from pathlib import Path

import pytest
from images import LayerBuilder, small_layer
from trees import build_index, build_tree

from fuse import tree as tree_module
from fuse.database import IndexFormatError
from fuse.tree import ROOT_INO, Tree


@pytest.fixture
def tree_path(tmp_path: Path) -> Path:
    """One of each kind of object, and links that lead around."""
    links = (
        LayerBuilder()
        .symlink("usr/lib", "../lib")
        .directory("lib")
        .file("lib/a", b"a")
        .symlink("lib/absolute", "/etc")
        .symlink("lib/out", "../../../../etc/./passwd")
        .symlink("lib/loop", "loop")
        .symlink("lib/dangling", "none/at/all")
    )
    return build_tree(tmp_path / "t", [small_layer(), links])


def test_lookup_finds_one_name(tree_path: Path) -> None:
    """None for what is not there, and below what is no directory."""
    with Tree.open(tree_path) as tree:
        found = tree.lookup(ROOT_INO, b"etc")
        assert found is not None
        assert stat.S_ISDIR(found.mode)
        passwd = tree.lookup(found.ino, b"passwd")
        assert passwd is not None
        assert tree.inode(passwd.ino) == passwd
        assert tree.lookup(passwd.ino, b"x") is None
        assert tree.lookup(ROOT_INO, b"none") is None


def test_an_unknown_number_is_a_keyerror(tree_path: Path) -> None:
    """As of a dictionary."""
    with Tree.open(tree_path) as tree, pytest.raises(KeyError):
        tree.inode(10**6)


def test_children_are_sorted_and_side_by_side(tree_path: Path) -> None:
    """By name in bytes; their numbers follow each other but for hard links."""
    with Tree.open(tree_path) as tree:
        children = tree.children(ROOT_INO)
        names = [name for name, _ in children]
        assert names == sorted(names)
        numbers = [inode.ino for _, inode in children]
        assert numbers == list(range(2, 2 + len(children)))
        assert all(tree.lookup(ROOT_INO, name) == inode for name, inode in children)
        passwd = tree.resolve(b"etc/passwd")
        assert passwd is not None
        assert tree.children(passwd.ino) == []


@pytest.mark.parametrize(
    ("path", "same_as"),
    [
        (b"", b""),
        (b"/", b""),
        (b"..", b""),
        (b"/../../etc", b"etc"),
        (b"usr/lib/a", b"lib/a"),
        (b"usr/lib", b"lib"),
        (b"lib/absolute/passwd", b"etc/passwd"),
        (b"lib/out", b"etc/passwd"),
        (b"usr/lib/../etc//./passwd", b"etc/passwd"),
    ],
)
def test_resolve_stays_inside_the_root(tree_path: Path, path: bytes, same_as: bytes) -> None:
    """Absolute links and `..` are the image's, never the host's."""
    with Tree.open(tree_path) as tree:
        paths = dict(tree.walk())
        assert tree.resolve(path) == paths[same_as]


@pytest.mark.parametrize("path", [b"none", b"lib/loop", b"lib/dangling", b"etc/passwd/x"])
def test_resolve_finds_nothing_where_nothing_is(tree_path: Path, path: bytes) -> None:
    """Missing, looping, dangling, and below a file."""
    with Tree.open(tree_path) as tree:
        assert tree.resolve(path) is None


def test_walk_gives_each_directory_before_its_contents(tree_path: Path) -> None:
    """Every path once, sorted within its directory, the root first."""
    with Tree.open(tree_path) as tree:
        paths = [path for path, _ in tree.walk()]
    assert paths[0] == b""
    assert len(set(paths)) == len(paths)
    assert paths == sorted(paths, key=lambda path: path.split(b"/") if path else [])


def test_no_xattrs_are_none_at_all(tree_path: Path, tmp_path: Path) -> None:
    """A tree without any says so, and an object without any has an empty dictionary."""
    with Tree.open(tree_path) as tree:
        assert tree.has_xattrs
        assert tree.xattrs(ROOT_INO) == {}
    with Tree.open(build_tree(tmp_path / "n", [LayerBuilder().file("a")])) as tree:
        assert not tree.has_xattrs
        assert tree.xattrs(2) == {}
        assert tree.extents(2) == ()


def test_a_tree_opens_from_a_read_only_folder(tree_path: Path) -> None:
    """Nothing is written beside it."""
    before = sorted(tree_path.parent.iterdir())
    tree_path.parent.chmod(0o555)
    try:
        with Tree.open(tree_path) as tree:
            assert len(list(tree.walk())) == tree.statistics.inodes + 1  # one hard link
    finally:
        tree_path.parent.chmod(0o755)
    assert sorted(tree_path.parent.iterdir()) == before


def test_an_index_is_no_tree(tmp_path: Path) -> None:
    """Files of the other kind, unfinished and missing ones are refused."""
    with pytest.raises(IndexFormatError, match="not a file of this kind"):
        Tree.open(build_index(tmp_path / "i", small_layer()))
    (tmp_path / "empty").touch()
    with pytest.raises(IndexFormatError):
        Tree.open(tmp_path / "empty")
    with pytest.raises(FileNotFoundError):
        Tree.open(tmp_path / "none")


def test_damage_is_said_when_it_is_met(tmp_path: Path) -> None:
    """Opening reads almost nothing, so that the damage shows later, as IndexFormatError."""
    layer = LayerBuilder()
    for number in range(3000):
        layer.file(f"directory/some-longer-name-{number:05}")
    path = build_tree(tmp_path, [layer])
    contents = path.read_bytes()
    half = len(contents) // 8192 * 4096
    path.write_bytes(contents[:4096] + b"\xff" * (half - 4096) + contents[half:])
    with pytest.raises(IndexFormatError, match="damaged"), Tree.open(path) as tree:
        list(tree.walk())


def test_a_closed_tree_stays_closed(tree_path: Path) -> None:
    """Closing twice is harmless."""
    tree = Tree.open(tree_path)
    tree.close()
    tree.close()


@pytest.mark.parametrize("kept", [0, 10_000])
def test_attributes_of_few_and_of_many(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kept: int
) -> None:
    """Whether it is noted which objects have attributes or not, each shows its own."""
    monkeypatch.setattr(tree_module, "_XATTR_OWNERS_KEPT", kept)
    layer = LayerBuilder().file("a", xattrs={"user.a": b"1"}).file("b")
    with Tree.open(build_tree(tmp_path, [layer])) as tree:
        found = {name: tree.xattrs(inode.ino) for name, inode in tree.children(ROOT_INO)}
    assert found == {b"a": {b"user.a": b"1"}, b"b": {}}


def test_numbers_in_a_row(tree_path: Path) -> None:
    """The objects of a range of numbers, as far as there are any."""
    with Tree.open(tree_path) as tree:
        last = tree.statistics.inodes
        assert tree.inodes(2, 4) == [tree.inode(number) for number in (2, 3, 4)]
        assert tree.inodes(last, last + 5) == [tree.inode(last)]
        assert tree.inodes(last + 1, last + 5) == []


def test_a_name_in_a_directory(tree_path: Path) -> None:
    """One of the object's names there; None in another directory."""
    with Tree.open(tree_path) as tree:
        paths = dict(tree.walk())
        directory = paths[b"bin"].ino
        assert tree.name_in(directory, paths[b"bin/sh"].ino) in (b"sh", b"dash")
        assert tree.name_in(directory, paths[b"etc/passwd"].ino) is None
        assert tree.name_in(ROOT_INO, directory) == b"bin"


def test_owners(tree_path: Path) -> None:
    """Every UID and GID that occurs, once each."""
    with Tree.open(tree_path) as tree:
        assert tree.owners() == ([0, 1000], [0, 6, 1000])


def test_more_owners_than_are_looked_at(tmp_path: Path) -> None:
    """Of very many only some are given, one more than anybody asks for."""
    layer = LayerBuilder()
    for number in range(4200):
        layer.file(f"{number:04}", uid=number)
    with Tree.open(build_tree(tmp_path, [layer])) as tree:
        uids, gids = tree.owners()
    assert (len(uids), gids) == (4097, [0])


def test_has_any_xattr(tree_path: Path) -> None:
    """Whether any object has one of these names."""
    with Tree.open(tree_path) as tree:
        assert tree.has_any_xattr((b"user.none", b"security.capability"))
        assert not tree.has_any_xattr((b"user.none",))
        assert not tree.has_any_xattr(())


def test_a_listing_is_found_by_any_position_in_it(tmp_path: Path) -> None:
    """The chunk that holds a position, behind the last entry the last one."""
    layer = LayerBuilder().directory("d").directory("e").file("f")
    for number in range(500):
        layer.file(f"d/{number:03}")
    with Tree.open(build_tree(tmp_path, [layer])) as tree:
        numbers = {name: inode.ino for name, inode in tree.children(ROOT_INO)}
        for position in (0, 1, 250, 501, 10_000):
            chunk = tree.chunk(numbers[b"d"], position)
            assert chunk.directory == numbers[b"d"]
            assert chunk.holds(position)
        for none in (numbers[b"f"], 10**6):
            with pytest.raises(KeyError):
                tree.chunk(none, 0)


def test_a_directory_that_is_found_twice(tmp_path: Path) -> None:
    """A tree that goes in circles, which no merge makes, is told from one that does not."""
    layer = LayerBuilder().directory("a").directory("a/b").file("a/b/file", b"")
    path = build_tree(tmp_path / "t", [layer])
    with Tree.open(path) as tree:
        tree.check_directories()
        assert not tree.is_packed
        directory = tree.resolve(b"a/b")
        assert directory is not None
    for ino, parent in ((directory.ino, 1), (1, directory.ino)):
        changed = tmp_path / f"{ino}"
        changed.write_bytes(path.read_bytes())
        database = sqlite3.connect(changed, isolation_level=None)
        database.execute("INSERT INTO dirent VALUES (?, ?, ?)", (parent, b"again", ino))
        database.close()
        with Tree.open(changed) as tree, pytest.raises(IndexFormatError, match="found twice"):
            tree.check_directories()
