"""Translation of IDs."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rootless.userns.idmap import IDMap, Mapping, overlaps, sequential


@st.composite
def idmaps(draw: st.DrawFn) -> IDMap:
    """Draw a map whose lines share no ID, on neither side, in any order."""
    sizes = draw(st.lists(st.integers(1, 5), min_size=1, max_size=4))
    gaps = st.lists(st.integers(0, 3), min_size=len(sizes), max_size=len(sizes))
    sides = []
    for side in (draw(gaps), draw(gaps)):
        first, starts = 0, []
        for gap, size in zip(side, sizes, strict=True):
            starts.append(first + gap)
            first += gap + size
        sides.append(starts)
    lines = [Mapping(a, b, size) for a, b, size in zip(*sides, sizes, strict=True)]
    return IDMap(tuple(draw(st.permutations(lines))))


@settings(database=None, max_examples=50)
@given(idmap=idmaps())
def test_translations_are_inverse(idmap: IDMap) -> None:
    """Each ID comes back from the other side; as many are mapped as the map says."""
    inside = [n for n in range(40) if idmap.to_outside(n) is not None]
    outside = [n for n in range(40) if idmap.to_inside(n) is not None]
    assert len(inside) == len(outside) == idmap.size
    for number in inside:
        there = idmap.to_outside(number)
        assert there is not None
        assert idmap.to_inside(there) == number
    ranges = idmap.inside_ranges()
    assert sorted(n for first, length in ranges for n in range(first, first + length)) == inside
    assert not overlaps(idmap.mappings)


@pytest.mark.parametrize(
    ("one", "other", "shared"),
    [
        (Mapping(0, 100, 10), Mapping(10, 110, 10), False),
        (Mapping(0, 100, 10), Mapping(9, 200, 1), True),
        (Mapping(0, 100, 10), Mapping(50, 109, 1), True),
        (Mapping(5, 100, 1), Mapping(0, 200, 10), True),
        (Mapping(0, 100, 1), Mapping(1, 101, 1), False),
    ],
)
def test_overlaps(one: Mapping, other: Mapping, shared: bool) -> None:  # noqa: FBT001
    """One shared ID on either side is an overlap, in either order; neighbours are none."""
    assert overlaps([one, other]) is overlaps([other, one]) is shared
    assert not overlaps([one])


def test_text_for_the_kernel() -> None:
    """A line a mapping: inside, outside, length (user_namespaces(7))."""
    idmap = IDMap(tuple(sequential([(1000, 1), (100000, 65536)])))
    assert idmap.to_procfs() == "0 1000 1\n1 100000 65536\n"
