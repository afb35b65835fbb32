"""Points in time as the files and the commands write them: RFC 3339 in UTC, with nanoseconds."""

import re
import time
from datetime import UTC, datetime, timedelta

from rootless.errors import InvalidInput
from rootless.oci import timestamp

_NS = 1_000_000_000
_DURATION = re.compile(r"(?:\d+(?:\.\d+)?(?:ms|[smhd]))+")
_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|[smhd])")
_SECONDS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400}
_FRACTION = re.compile(r"\.(\d{1,9})\d*")


def now() -> str:
    """Return the time."""
    return format_time(time.time_ns())


def format_time(ns: int) -> str:
    """Return nanoseconds since the epoch as text; always as long, so that texts sort as times."""
    whole = timestamp.to_text(ns // _NS).removesuffix("Z")
    return f"{whole}.{ns % _NS:09d}Z"


def parse_time(text: str) -> int:
    """Return the nanoseconds since the epoch of an RFC 3339 time; raises ValueError."""
    fraction = _FRACTION.search(text)
    moment = datetime.fromisoformat(_FRACTION.sub("", text, count=1))
    if moment.tzinfo is None:
        moment = moment.astimezone()
    digits = fraction[1].ljust(9, "0") if fraction else "0"
    return int(moment.timestamp()) * _NS + int(digits)


def parse_moment(text: str, now_ns: int) -> int:
    """Return what `--since` means: a time, a date, seconds since the epoch, or how long ago.

    Raises InvalidInput.
    """
    if _DURATION.fullmatch(text):
        return now_ns - int(duration(text).total_seconds() * _NS)
    try:
        if re.fullmatch(r"\d+(\.\d+)?", text):
            return int(float(text) * _NS)
        return parse_time(text)
    except (ValueError, OverflowError):
        raise InvalidInput(
            "not a point in time", text, "such as 2026-01-31T12:00:00Z, 10m (ago) or Unix seconds"
        ) from None


def duration(text: str) -> timedelta:
    """Return a length of time as Go writes it: `1m30s`, `500ms`; raises InvalidInput."""
    if not _DURATION.fullmatch(text):
        raise InvalidInput("not a duration", text, "such as 30s, 1m30s or 500ms")
    parts = _PART.findall(text)
    return timedelta(seconds=sum(float(number) * _SECONDS[unit] for number, unit in parts))


def from_timestamp(ns: int) -> datetime:
    """Return nanoseconds since the epoch as a time of the standard library."""
    return datetime.fromtimestamp(ns / _NS, UTC)
