"""Counts of look-ups of what has no node."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fuse.told import Told

LAST = 20


@pytest.fixture
def told() -> Told:
    """Room for some, of which the first has a node."""
    made = Told()
    made.make_room(LAST, [1])
    return made


@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("row"), st.integers(2, 12), st.integers(1, 8)),
            st.tuples(st.just("many"), st.integers(2, LAST), st.integers(1, 300)),
            st.tuples(st.just("forget"), st.integers(2, LAST), st.integers(1, 300)),
            st.tuples(st.just("take"), st.integers(2, LAST), st.just(0)),
            st.tuples(st.just("give back"), st.integers(2, LAST), st.just(0)),
        )
    )
)
def test_counts_are_exact(steps: list[tuple[str, int, int]]) -> None:
    """Whatever their size, and whether they grew together or alone."""
    told = Told()
    told.make_room(LAST, [])
    counts: Counter[int] = Counter()
    nodes: set[int] = set()
    for kind, ino, much in steps:
        if kind == "row":
            numbers = range(ino, ino + much)
            assert told.tell(7, numbers) == [each for each in numbers if each in nodes]
            counts.update(set(numbers) - nodes)
        elif kind == "many":
            for _ in range(much):
                assert told.tell(7, (ino,)) == [each for each in (ino,) if each in nodes]
            counts[ino] += 0 if ino in nodes else much
        elif kind == "forget":
            told.forget(ino, much)
            counts[ino] = max(0, counts[ino] - much)
        elif kind == "take":
            assert told.take(ino) == counts.pop(ino, 0)
            nodes.add(ino)
        elif ino in nodes:
            told.give_back(ino)
            nodes.remove(ino)
        assert [told.count(each) for each in range(LAST + 1)] == [
            counts[each] for each in range(LAST + 1)
        ]
    assert len(told) == len(+counts)


def test_what_is_known(told: Told) -> None:
    """An object that the kernel was told of and that has no node, and where it was told."""
    assert (1 in told, 5 in told, LAST + 1 in told) == (False, False, False)
    assert told.tell(3, range(5, 8)) == []
    assert 6 in told
    assert (told.home(6), told.home(8), told.home(LAST + 1)) == (3, 0, 0)
    assert told.tell(4, (1, 6)) == [1]
    assert told.home(6) == 4


def test_numbers_that_there_is_no_room_for(told: Told) -> None:
    """A damaged tree may tell of them: nothing is counted, and nothing fails."""
    told.tell(3, range(LAST, LAST + 5))
    told.tell(3, (LAST + 9,))
    told.forget(LAST + 9, 1)
    told.give_back(LAST + 9)
    assert told.take(LAST + 9) == 0
    assert len(told) == 1
