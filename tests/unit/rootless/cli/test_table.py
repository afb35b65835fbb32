"""Tables, sizes and ages."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rootless.cli import table

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def test_columns() -> None:
    """Columns stand below their heads, without blanks at a line's end; wide letters count two."""
    found = table.lines(["NAME", "SIZE"], [["a", "1"], ["漢字漢", "22"], ["", ""]])
    assert found == ["NAME    SIZE", "a       1", "漢字漢  22", ""]
    assert table.lines(["NAME"], []) == ["NAME"]


def test_names_from_outside() -> None:
    """A name with terminal escapes or a newline cannot make a line of its own."""
    assert table.lines(["N"], [["a\x1b[2J\nb"]]) == ["N", "a?[2J?b"]


@pytest.mark.parametrize(
    ("n", "text"),
    [
        *((0, "0 B"), (999, "999 B"), (1000, "1 kB"), (1234, "1.23 kB"), (999_499, "999 kB")),
        *((999_500, "1 MB"), (123_456_789, "123 MB"), (10**18, "1e+03 PB")),
    ],
)
def test_sizes(n: int, text: str) -> None:
    """Three digits and a unit of 1000, as podman has them."""
    assert table.size(n) == text


@pytest.mark.parametrize(
    ("ago", "text"),
    [
        (timedelta(seconds=-5), "just now"),
        (timedelta(0), "just now"),
        (timedelta(seconds=1), "1 second ago"),
        (timedelta(seconds=59), "59 seconds ago"),
        (timedelta(minutes=60), "1 hour ago"),
        (timedelta(days=1), "1 day ago"),
        (timedelta(days=13), "1 week ago"),
        (timedelta(days=59), "1 month ago"),
        (timedelta(days=730), "2 years ago"),
    ],
)
def test_ages(ago: timedelta, text: str) -> None:
    """The largest unit that fits; a clock that is ahead is no error."""
    assert table.age((NOW - ago).isoformat(), NOW) == text


def test_times() -> None:
    """RFC 3339 with nanoseconds, a zone or none; anything else is none."""
    moment = datetime(2024, 1, 2, 3, 4, 5, 123456, UTC)
    assert table.parse_time("2024-01-02T03:04:05.123456789Z") == moment
    assert table.parse_time("2024-01-02T04:04:05.123456+01:00") == moment
    assert table.parse_time("2024-01-02T03:04:05.123456") == moment
    assert table.parse_time("2024-01-02T03:04:05.1Z") == moment.replace(microsecond=100000)
    assert [table.parse_time(text) for text in ("", "x", "2024-13-01T00:00:00Z", "..")] == [
        None
    ] * 4


@settings(database=None, max_examples=60)
@given(text=st.text("0123456789-:.TZ+ x", max_size=32) | st.datetimes().map(datetime.isoformat))
def test_any_time(text: str) -> None:
    """Whatever an image says of its age, there is an answer."""
    assert isinstance(table.age(text, NOW), str)
