"""Entries and inodes are plain tuples that SQLite takes and gives."""

from fuse.entry import HARD_LINK, HAS_XATTRS, SPARSE, Entry, Inode, TreeStatistics


def test_entry_is_the_row_of_its_table() -> None:
    """The fields stand in the order of the table's columns, so that a row needs no conversion."""
    entry = Entry(1, b"a", 0o100644, 1, 2, 3, 4, 5, 6, b"", 0)
    assert tuple(entry) == (1, b"a", 0o100644, 1, 2, 3, 4, 5, 6, b"", 0)
    assert (entry.uid, entry.gid, entry.size, entry.mtime_ns) == (1, 2, 3, 4)


def test_inode_is_the_row_of_its_table() -> None:
    """The fields stand in the order of the table's columns."""
    inode = Inode._make((1, 0o40755, 2, 0, 0, 0, 7, 0, 3, 9, b"", False))
    assert (inode.ino, inode.nlink, inode.layer, inode.offset) == (1, 2, 3, 9)


def test_flags_are_distinct_bits() -> None:
    """An entry can carry every combination of flags."""
    assert {HARD_LINK, HAS_XATTRS, SPARSE} == {1, 2, 4}


def test_statistics_compare_by_value() -> None:
    """Two counts of the same tree are equal."""
    assert TreeStatistics(1, 2) == TreeStatistics(1, 2)
