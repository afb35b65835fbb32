"""Times as OCI documents have them: RFC 3339 in UTC, whole seconds (section 5.6 of it)."""

import time


def to_text(seconds: float) -> str:
    """Return seconds since the epoch as text; parts of a second are left out."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))
