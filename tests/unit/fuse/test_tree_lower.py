"""A merged tree as a lower."""

from collections.abc import Iterator
from pathlib import Path

import images
import pytest
import trees

from fuse.contents import TarContents
from fuse.tree import Tree
from fuse.tree_lower import TreeLower


@pytest.fixture
def lower(tmp_path: Path) -> Iterator[TreeLower]:
    """Two layers: hard links across directories, a link, attributes, a sparse file."""
    below = (
        images.LayerBuilder()
        .directory("a")
        .file("a/one", b"0123456789", xattrs={"user.k": b"v"})
        .directory("b")
        .hard_link("b/two", "a/one")
        .symlink("link", "a/one")
    )
    above = images.LayerBuilder().directory("a").file("a/three", b"three")
    tree = Tree.open(trees.build_tree(tmp_path, [below, above]))
    made = TreeLower(tree, TarContents([trees.tar_path(tmp_path, n) for n in range(2)]))
    yield made
    made.close()


def test_names_and_lookups(lower: TreeLower) -> None:
    """Names come sorted; each leads to an object whose number is at most the last one."""
    assert list(lower.names(lower.root)) == [b"a", b"b", b"link"]
    directory = lower.lookup(lower.root, b"a")
    assert directory is not None
    assert list(lower.names(directory)) == [b"one", b"three"]
    file = lower.lookup(directory, b"three")
    assert file is not None
    assert file.ino <= lower.last_ino
    assert lower.lookup(directory, b"none") is None


def test_what_an_object_holds(lower: TreeLower, tmp_path: Path) -> None:
    """Contents, link target and attributes."""
    directory = lower.lookup(lower.root, b"a")
    link = lower.lookup(lower.root, b"link")
    assert directory is not None
    assert link is not None
    file = lower.lookup(directory, b"one")
    assert file is not None
    assert lower.readlink(link) == b"a/one"
    assert lower.has_xattrs
    assert lower.xattrs(file) == {b"user.k": b"v"}
    assert lower.read(file, 3, 4) == b"3456"
    with open(tmp_path / "copy", "wb") as copy:
        lower.copy(file, copy.fileno(), 4)
    assert (tmp_path / "copy").read_bytes() == b"0123"


def test_paths(lower: TreeLower) -> None:
    """All names of a file with several are known."""
    directory = lower.lookup(lower.root, b"b")
    assert directory is not None
    file = lower.lookup(directory, b"two")
    assert file is not None
    assert sorted(lower.paths(file)) == [b"a/one", b"b/two"]


def test_homes(lower: TreeLower) -> None:
    """A directory that has an object, the one that was guessed where it has; else any."""
    numbers = {name: inode.ino for name, inode in lower.tree.children(1)}
    one = lower.tree.lookup(numbers[b"a"], b"one")
    assert one is not None
    assert lower.home(one.ino, numbers[b"b"]) == (numbers[b"b"], b"two")
    for guess in (0, 1, numbers[b"a"]):
        assert lower.home(one.ino, guess) == (numbers[b"a"], b"one")
    with pytest.raises(OSError, match="Stale"):
        lower.home(10**6, 1)
