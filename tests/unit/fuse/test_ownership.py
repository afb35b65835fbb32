"""Owners as they are shown and kept."""

import os
import stat

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fuse.ownership import OverrideStat, Squash

ids = st.integers(0, 2**32 - 2)
kinds = st.sampled_from([0, stat.S_IFREG, stat.S_IFDIR, stat.S_IFLNK, stat.S_IFIFO, stat.S_IFSOCK])


def test_without_a_map_everything_is_itself() -> None:
    """No ranges mean that all is mapped."""
    assert Squash((), 65534)[12345] == 12345


@pytest.mark.parametrize(
    ("number", "shown"), [(0, 0), (1, 99), (9, 99), (10, 10), (14, 14), (15, 99)]
)
def test_what_is_not_mapped_is_the_overflow(number: int, shown: int) -> None:
    """Ranges include their first ID and not the one behind their last."""
    assert Squash(((0, 1), (10, 5)), 99)[number] == shown


def test_the_memory_of_a_squash_is_bounded() -> None:
    """An image with more owners than it keeps is squashed all the same."""
    squash = Squash(((0, 10),), 99)
    assert all(squash[number] == 99 for number in range(10, 10_000))
    assert len(squash) <= Squash._LIMIT


@settings(database=None)
@given(uid=ids, gid=ids, mode=st.integers(0, 0o7777), kind=kinds)
def test_override_stat_round_trip(uid: int, gid: int, mode: int, kind: int) -> None:
    """What is written is what is read."""
    override = OverrideStat(uid, gid, kind | mode)
    assert OverrideStat.from_bytes(override.to_bytes()) == override


def test_override_stat_of_a_device() -> None:
    """A device's numbers are in the type, as containers/storage writes them."""
    override = OverrideStat(1, 2, stat.S_IFBLK | 0o660, os.makedev(8, 1))
    assert override.to_bytes() == b"1:2:0660:block-8-1"
    assert OverrideStat.from_bytes(b"1:2:0660:block-8-1") == override


def test_override_stat_without_a_type() -> None:
    """The older form leaves the kind to what is stored."""
    assert OverrideStat.from_bytes(b"1:2:0755") == OverrideStat(1, 2, 0o755)


@pytest.mark.parametrize("value", [b"", b"1:2", b"a:b:c", b"1:2:0755:thing", b"\xff:1:2"])
def test_anything_else_is_refused(value: bytes) -> None:
    """What is not of this form raises ValueError."""
    with pytest.raises(ValueError, match=r".*"):
        OverrideStat.from_bytes(value)
