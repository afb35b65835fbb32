"""Maps of sparse files."""

import pytest

from fuse import sparse


def test_extents_follow_each_other_in_the_tar() -> None:
    """Each piece lies behind the one before; pieces of no length are left out."""
    found = sparse.extents([0, 10, 100, 20, 200, 0], 200, 30, 512)
    assert found == [(0, 10, 512), (100, 20, 522)]


@pytest.mark.parametrize(
    ("pairs", "real", "stored"),
    [
        ([0], 10, 0),
        ([0, 5, 4, 1], 10, 6),
        ([0, 11], 10, 11),
        ([-1, 5], 10, 5),
        ([0, -5], 10, -5),
        ([0, 5], 10, 6),
    ],
)
def test_maps_that_do_not_fit_are_refused(pairs: list[int], real: int, stored: int) -> None:
    """Half a pair, overlaps, pieces beyond the end, another length than is stored: errors."""
    with pytest.raises(ValueError, match="sparse map"):
        sparse.extents(pairs, real, stored, 0)


def test_map_record_is_a_list_of_numbers() -> None:
    """Format 0.1 has offset and length separated by commas; an empty one is a file of one hole."""
    assert sparse.parse_map_record(b"0,10,100,20") == [0, 10, 100, 20]
    assert sparse.parse_map_record(b"") == []


@pytest.mark.parametrize("value", [b",", b"1,x", b"-1,2", b"1" * 21])
def test_map_record_of_anything_else_is_refused(value: bytes) -> None:
    """What is no number is an error."""
    with pytest.raises(ValueError, match="no number"):
        sparse.parse_map_record(value)


def test_map_blocks_say_when_they_are_complete() -> None:
    """Format 1.0 begins with a count of pairs and may break a number between two blocks."""
    blocks = sparse.MapBlocks()
    assert blocks.feed(b"2\n0\n1")
    assert blocks.feed(b"0\n100\n")
    assert not blocks.feed(b"20\n\0\0\0")
    assert blocks.pairs == [0, 10, 100, 20]


def test_map_blocks_of_no_pairs_are_one_block() -> None:
    """A file that is one hole has a count of 0."""
    blocks = sparse.MapBlocks()
    assert not blocks.feed(b"0\n" + bytes(510))
    assert blocks.pairs == []
