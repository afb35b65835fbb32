"""Owners as they are shown and kept."""

import os
import stat

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fuse.ownership import IDTranslation, OverrideStat, Squash

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


def test_no_translation() -> None:
    """Without lines and squashing every ID is itself, and the translation says that it is none."""
    none = IDTranslation()
    assert not none
    assert (none.to_shown(12345), none.to_stored(12345)) == (12345, 12345)


@pytest.mark.parametrize(
    ("stored", "shown"),
    [(1000, 0), (100000, 1), (100099, 100), (100100, 65534), (0, 65534), (1001, 65534)],
)
def test_a_stored_id_is_shown_by_its_line(stored: int, shown: int) -> None:
    """Lines include their first ID and not the one behind their last; others are the overflow."""
    translation = IDTranslation(((0, 1000, 1), (1, 100000, 100)))
    assert translation
    assert translation.to_shown(stored) == shown
    if shown != 65534:
        assert translation.to_stored(shown) == stored


@pytest.mark.parametrize("shown", [101, 1000, 65534])
def test_an_id_of_no_line_cannot_be_stored(shown: int) -> None:
    """Nothing says how it would be: EINVAL, as the kernel has it for an unmapped ID."""
    translation = IDTranslation(((0, 1000, 1), (1, 100000, 100)))
    with pytest.raises(OSError, match="Invalid argument"):
        translation.to_stored(shown)


@pytest.mark.parametrize("squashed", [0, 5])
def test_squashed_ids(squashed: int) -> None:
    """Whatever is stored or asked for is the one ID."""
    translation = IDTranslation(squashed=squashed)
    assert translation
    assert translation.to_shown(7) == translation.to_stored(8) == squashed


@settings(database=None)
@given(
    st.lists(st.tuples(st.integers(0, 99), st.integers(1, 50)), min_size=1, max_size=4),
    st.integers(0, 400),
)
def test_what_is_stored_is_shown_as_it_was(gaps: list[tuple[int, int]], number: int) -> None:
    """With lines that do not overlap, either direction takes back what the other one does."""
    lines, shown, stored = [], 0, 1000
    for gap, length in gaps:
        lines.append((shown + gap, stored + 2 * gap, length))
        shown, stored = shown + gap + length, stored + 2 * gap + length
    translation = IDTranslation(tuple(lines))
    if any(first <= number < first + length for first, _, length in lines):
        assert translation.to_shown(translation.to_stored(number)) == number
    else:
        with pytest.raises(OSError, match="Invalid argument"):
            translation.to_stored(number)
