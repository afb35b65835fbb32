"""The server's log: a file of bounded size, for warnings and tracebacks.

Hot paths log nothing, so a full log means that something repeats itself; its beginning says what.
"""

import logging
import sys

_SIZE_MAX = 1 << 20


def log_to(path: str) -> None:
    """Send warnings to a file, or to stderr where the path is empty."""
    stream = open(path, "a", encoding="utf-8", errors="backslashreplace") if path else sys.stderr  # noqa: SIM115 - open for the life of the process
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    handler.addFilter(_SizeLimit())
    handler.addFilter(_is_worth_a_line)
    logging.basicConfig(level=logging.WARNING, handlers=[handler])


class _SizeLimit(logging.Filter):
    """Lets records pass until their texts make a megabyte."""

    def __init__(self) -> None:
        super().__init__()
        self._left = _SIZE_MAX

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether there is room left; an estimate, tracebacks are counted as 4 KiB."""
        self._left -= len(record.getMessage()) + (4096 if record.exc_info else 64)
        return self._left > 0


def _is_worth_a_line(record: logging.LogRecord) -> bool:
    """Return False for pyfuse3's error about a request whose client was killed meanwhile."""
    message = record.getMessage()
    return not ("fuse_reply_* failed with" in message and "No such file" in message)
