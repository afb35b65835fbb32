"""Plain tables, as podman and docker print them: columns parted by blanks, for people and `awk`."""

import unicodedata
from collections.abc import Sequence
from datetime import UTC, datetime

_GAP = 2
_UNITS = ("B", "kB", "MB", "GB", "TB", "PB")
# the last unit that fits at least once names the age
_AGES = (
    (365 * 86400, "year"),
    (30 * 86400, "month"),
    (7 * 86400, "week"),
    (86400, "day"),
    (3600, "hour"),
    (60, "minute"),
    (1, "second"),
)


def lines(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Return the table's lines, without blanks at their ends."""
    table = [list(header), *[[_printable(cell) for cell in row] for row in rows]]
    widths = [max(_width(row[i]) for row in table) for i in range(len(header))]
    return [
        "".join(
            cell + " " * (width - _width(cell) + _GAP)
            for cell, width in zip(row, widths, strict=True)
        ).rstrip()
        for row in table
    ]


def size(n: int) -> str:
    """Return bytes for people, in powers of 1000 as podman has them: `123 MB`."""
    value = float(n)
    for unit in _UNITS:
        if value < 999.5 or unit == _UNITS[-1]:
            return f"{value:.3g} {unit}"
        value /= 1000
    raise AssertionError  # the last unit takes everything


def age(created: str, now: datetime) -> str:
    """Return how long ago an RFC 3339 time was: `3 weeks ago`; empty for none."""
    moment = parse_time(created)
    if moment is None:
        return ""
    seconds = int((now - moment).total_seconds())
    for length, unit in _AGES:
        count = seconds // length
        if count >= 1:
            return f"{count} {unit}{'s' if count > 1 else ''} ago"
    return "just now"


def parse_time(text: str) -> datetime | None:
    """Read an RFC 3339 time, nanoseconds cut to microseconds; None where it is none."""
    head, dot, tail = text.partition(".")
    if dot:
        digits = len(tail) - len(tail.lstrip("0123456789"))
        text = f"{head}.{tail[:digits][:6].ljust(6, '0')}{tail[digits:]}"
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _printable(text: str) -> str:
    """Names come from outside and may hold terminal escapes."""
    return "".join(c if c.isprintable() else "?" for c in text)


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)
