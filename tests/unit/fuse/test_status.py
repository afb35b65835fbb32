"""What is told of an object."""

import os
import stat
from pathlib import Path

import pytest

from fuse.entry import Inode
from fuse.node import Link, Node
from fuse.status import Kind, of_lower, of_upper

FILE = Inode(7, stat.S_IFREG | 0o644, 3, 1, 2, 1000, 5_000, 0, 0, 0, b"", False)


@pytest.fixture
def root() -> Node:
    """The root's node."""
    return Node(1, is_directory=True)


def test_of_the_lower_tree(root: Node) -> None:
    """One time for all three, the owner that is shown, and the names that are left."""
    node = Node(7, is_directory=False, lower=FILE)
    node.add_link(Link(root, b"name"))
    status = of_lower(node, FILE, (10, 20), 1)
    assert status[:8] == (7, FILE.mode, 2, 10, 20, 1000, 5_000, 0)
    assert (status.blocks, status.atime_ns, status.ctime_ns) == (2, 5_000, 5_000)


def test_an_object_without_a_name_has_no_link() -> None:
    """Whatever the layers say."""
    assert of_lower(Node(7, is_directory=False, lower=FILE), FILE, (0, 0), 0).nlink == 0


def test_of_the_upperdir(tmp_path: Path, root: Node) -> None:
    """As it is stored, but for what was noted; a type that was not noted is the stored one."""
    path = tmp_path / "file"
    path.write_bytes(b"contents")
    path.chmod(0o600)
    node = Node(9, is_directory=False, upper_ino=path.stat().st_ino)
    node.add_link(Link(root, b"file"))
    stored = path.stat()
    plain = of_upper(node, stored, None)
    assert (plain.ino, plain.mode, plain.size) == (9, stat.S_IFREG | 0o600, 8)
    assert (plain.uid, plain.gid, plain.nlink) == (os.getuid(), os.getgid(), 1)
    noted = of_upper(node, stored, Kind(0o4755, 5, 6, 0))
    assert (noted.mode, noted.uid, noted.gid) == (stat.S_IFREG | 0o4755, 5, 6)
    device = of_upper(node, stored, Kind(stat.S_IFBLK | 0o660, 0, 6, os.makedev(8, 1)))
    assert (device.mode, device.rdev) == (stat.S_IFBLK | 0o660, os.makedev(8, 1))


def test_a_merged_directory_has_one_link(tmp_path: Path, root: Node) -> None:
    """The count of the upper half alone would mislead find(1)."""
    lower = FILE._replace(mode=stat.S_IFDIR | 0o755)
    node = Node(7, is_directory=True, lower=lower, upper_ino=5)
    node.add_link(Link(root, b"dir"))
    assert of_upper(node, tmp_path.stat(), None).nlink == 1
    node.lower = None
    assert of_upper(node, tmp_path.stat(), None).nlink == tmp_path.stat().st_nlink
