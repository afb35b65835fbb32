"""Sub-ID ranges."""

import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rootless.oci.document import HIGHEST_ID
from rootless.userns.subid import Caller, Range, disjoint, parse

NAMES = ("ann", "1000")
ranges = st.lists(st.tuples(st.integers(1, 60), st.integers(1, 20)), max_size=5)


def test_lines_of_a_user() -> None:
    """subuid(5): the name or the number; the lines of others are not his."""
    text = "bob:1:10\nann:100000:65536\n1000:300000:10\nanna:5:5\n"
    assert parse(text, NAMES) == ((100000, 65536), (300000, 10))
    assert parse(text, ("carl",)) == ()


@pytest.mark.parametrize(
    "line",
    [
        *("", "ann", "ann:1", "ann:1:2:3", "ann:x:1", "ann:1:x", "# ann:1:2", "ann:-5:10"),
        *("ann:0:65536", "ann:5:0", "ann:5:-5", "ann:1.5:2", "ann:" + "9" * 5000 + ":1"),
    ],
)
def test_garbage_is_passed_over(line: str) -> None:
    """A line that is no range, or would hand out root, gives none and hides no other."""
    assert parse(f"{line}\nann:7:8", NAMES) == ((7, 8),)


@settings(database=None, max_examples=60)
@given(text=st.text("an:0123 #-x\n\r", max_size=40))
def test_any_file(text: str) -> None:
    """Whatever the file holds, the ranges are ranges of IDs above root's."""
    assert all(first > 0 and length > 0 for first, length in parse(text, ("a", "n")))


def members(found: tuple[Range, ...] | list[Range]) -> list[int]:
    """Return every ID of some ranges."""
    return [number for first, length in found for number in range(first, first + length)]


@settings(database=None, max_examples=80)
@given(found=ranges, own=st.integers(1, 80))
def test_ranges_become_disjoint(found: list[Range], own: int) -> None:
    """Each ID stays, and once: but for the caller's own, which is his already."""
    kept = members(disjoint(found, own))
    assert len(kept) == len(set(kept))
    assert set(kept) == set(members(found)) - {own}


def test_disjoint_ranges_stay_as_they_are() -> None:
    """newuidmap(1) is asked for the lines that the file has."""
    found = [(100000, 65536), (165536, 65536), (5, 1)]
    assert disjoint(found, 1000) == tuple(found)


def test_ids_that_there_are_not_are_cut_off() -> None:
    """A range beyond the last ID ends with it; one that begins there is none."""
    assert disjoint([(HIGHEST_ID - 1, 100), (HIGHEST_ID + 5, 3)], 1000) == ((HIGHEST_ID - 1, 2),)


def test_this_user() -> None:
    """The calling user's ranges are there, or the reason why they are not."""
    caller = Caller.current()
    assert (caller.uid, caller.gid) == (os.getuid(), os.getgid())
    assert caller.has_subids is (caller.reason == "")
    assert caller.has_subids or caller.subuids == caller.subgids == ()
