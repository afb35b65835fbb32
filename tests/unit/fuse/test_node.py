"""What the kernel knows."""

import os

import pytest

from fuse.node import ROOT_INO, Link, Node, NodeTable


@pytest.fixture
def table() -> NodeTable:
    """A table with a root, upper numbers from 100."""
    return NodeTable(Node(ROOT_INO, is_directory=True), first_upper_ino=100)


def add(table: NodeTable, ino: int, parent: Node, name: bytes, *, directory: bool = False) -> Node:
    """Add a node that the kernel was told of once."""
    node = Node(ino, is_directory=directory)
    node.add_link(Link(parent, name))
    node.lookups = 1
    table.add(node)
    return node


def test_forgets_what_nobody_knows(table: NodeTable) -> None:
    """A node goes when all its lookups are taken back, not before."""
    node = add(table, 5, table.root, b"x")
    node.lookups = 3
    table.forget(5, 2)
    assert table.node(5) is node
    table.forget(5, 1)
    with pytest.raises(OSError, match="Stale"):
        table.node(5)
    assert table.root.children == 0


def test_the_root_stays(table: NodeTable) -> None:
    """The root is never forgotten."""
    table.forget(ROOT_INO, 1)
    assert table.node(ROOT_INO) is table.root


def test_a_directory_stays_for_its_children(table: NodeTable) -> None:
    """A forgotten directory goes with the last node in it, so that a path is never lost."""
    folder = add(table, 5, table.root, b"d", directory=True)
    add(table, 6, folder, b"f")
    table.forget(5, 1)
    assert table.known(5) is folder
    table.forget(6, 1)
    assert len(table) == 1


def test_numbers_of_the_upperdir(table: NodeTable) -> None:
    """An upper object's number lies above the tree's; a copied-up one keeps the tree's."""
    table.copied[42] = 7
    assert table.upper_number(41) == 141
    assert table.upper_number(42) == 7


def test_an_orphan_frees_its_file_and_number(table: NodeTable) -> None:
    """When an object without a name is forgotten, its file is closed and its note dropped."""
    node = add(table, 7, table.root, b"x")
    node.upper_ino = 42
    table.copied[42] = 7
    node.orphan_fd, other = os.pipe()
    os.close(other)
    fd = node.orphan_fd
    node.drop_link(node.links[0])
    assert node.is_removed
    table.forget(7, 1)
    with pytest.raises(OSError, match="Bad file"):
        os.fstat(fd)
    assert table.copied == {}


def test_links_are_noted_once(table: NodeTable) -> None:
    """The same name twice is one link."""
    node = add(table, 5, table.root, b"x")
    node.add_link(Link(table.root, b"x"))
    assert len(node.links) == 1
    assert table.root.children == 1


def test_forgetting_the_unknown_is_harmless(table: NodeTable) -> None:
    """A number that is not known is ignored."""
    table.forget(99, 1)


def test_what_is_dropped_is_told() -> None:
    """Whoever holds something for a node hears of its end, a directory's after its last child's."""
    dropped: list[int] = []
    root = Node(ROOT_INO, is_directory=True)
    table = NodeTable(root, 100, lambda node: dropped.append(node.ino))
    folder = add(table, 5, root, b"d", directory=True)
    add(table, 6, folder, b"f")
    table.forget(5, 1)
    assert not dropped
    table.forget(6, 1)
    assert dropped == [6, 5]


def test_what_has_no_node_is_counted(table: NodeTable) -> None:
    """Told of and forgotten like a node, and noted with the directory where it was seen."""
    table.expect(50)
    table.tell(ROOT_INO, (7, 8))
    table.tell(5, (7,))
    told = table.told
    assert [(told.count(ino), told.home(ino)) for ino in (7, 8)] == [(2, 5), (1, ROOT_INO)]
    table.forget(7, 1)
    assert told.count(7) == 1
    table.forget(7, 1)
    table.forget(8, 3)
    assert not told


def test_what_has_a_node_is_counted_there(table: NodeTable) -> None:
    """A number is either a node's or of an object without one, never both."""
    table.expect(50)
    node = add(table, 7, table.root, b"x")
    table.tell(ROOT_INO, (7,))
    table.tell(ROOT_INO, range(6, 9))
    assert node.lookups == 3
    assert [table.told.count(ino) for ino in (6, 7, 8)] == [1, 0, 1]
    table.forget(7, 3)
    table.tell(ROOT_INO, (7,))
    assert table.told.count(7) == 1


def test_a_new_node_takes_over(table: NodeTable) -> None:
    """All that was told of its object before is the node's to be forgotten."""
    table.expect(50)
    table.tell(ROOT_INO, (7, 7))
    node = add(table, 7, table.root, b"x")
    assert node.lookups == 3
    assert not table.told
    table.forget(7, 3)
    assert table.known(7) is None
