"""Points in time, written and read."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rootless.containers import times
from rootless.errors import InvalidInput

NOW = 1_800_000_000_123_456_789


@given(st.integers(0, 4_000_000_000_000_000_000))
def test_comes_back_the_same(ns: int) -> None:
    """To the nanosecond, and always as long."""
    text = times.format_time(ns)
    assert times.parse_time(text) == ns
    assert len(text) == len("2026-01-31T12:00:00.000000001Z")


@given(st.tuples(st.integers(0, 10**18), st.integers(0, 10**18)))
def test_texts_sort_as_times(pair: tuple[int, int]) -> None:
    """So that they can be compared without being read."""
    one, other = pair
    assert (times.format_time(one) < times.format_time(other)) == (one < other)


@pytest.mark.parametrize(
    ("text", "ns"),
    [
        ("10m", NOW - 600 * 10**9),
        ("1h30m", NOW - 5400 * 10**9),
        ("500ms", NOW - 500 * 10**6),
        ("1700000000", 1_700_000_000 * 10**9),
        ("2026-01-31T12:00:00Z", 1_769_860_800 * 10**9),
        ("2026-01-31T12:00:00.5+01:00", 1_769_857_200 * 10**9 + 500_000_000),
    ],
)
def test_moments(text: str, ns: int) -> None:
    """How long ago, Unix seconds, RFC 3339 in any zone."""
    assert times.parse_moment(text, NOW) == ns


@pytest.mark.parametrize("text", ["", "soon", "10", "m", "5x", "2026-13-01", "1h 30m", "9" * 400])
def test_no_moments(text: str) -> None:
    """Anything else is refused; a small number is a time long ago."""
    if text == "10":
        assert times.parse_moment(text, NOW) == 10 * 10**9
    else:
        with pytest.raises(InvalidInput, match="not a point in time"):
            times.parse_moment(text, NOW)


def test_durations() -> None:
    """As Go writes them."""
    assert times.duration("1m30s").total_seconds() == 90
    assert times.duration("1.5h").total_seconds() == 5400
    with pytest.raises(InvalidInput, match="not a duration"):
        times.duration("90")


def test_now() -> None:
    """It is a time, and later than another before it."""
    first = times.now()
    assert times.parse_time(first) > 1_700_000_000 * 10**9
    assert times.now() >= first
