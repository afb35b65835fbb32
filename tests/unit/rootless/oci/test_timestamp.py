"""`rootless.oci.timestamp`: times in documents."""

from datetime import UTC, datetime, timedelta, timezone

from rootless.oci import timestamp


def test_it_is_read_as_what_was_written() -> None:
    """In UTC whatever the zone it came from, and without what is less than a second."""
    assert timestamp.to_text(0) == "1970-01-01T00:00:00Z"
    assert timestamp.to_text(-1) == "1969-12-31T23:59:59Z"
    zone = timezone(timedelta(hours=5, minutes=30))
    moment = datetime(2026, 2, 28, 1, 2, 3, 999_999, zone)
    text = timestamp.to_text(moment.timestamp())
    assert text == "2026-02-27T19:32:03Z"
    assert datetime.fromisoformat(text) == moment.astimezone(UTC).replace(microsecond=0)
