"""What the runtime says: records on stderr or in the file that `--log` names, as runc writes them.

Engines read the file to tell their user what went wrong, and look for some words of runc's in it:
podman tells by them whether its own status is 126 or 127.
"""

import json
import logging
import sys

from rootless.errors import CannotExecute, CommandNotFound, InvalidInput, RootlessError
from rootless.oci import timestamp

_FORMATS = ("text", "json")


class _Formatter(logging.Formatter):
    def __init__(self, kind: str) -> None:
        super().__init__()
        self._kind = kind

    def format(self, record: logging.LogRecord) -> str:
        level, message = record.levelname.lower(), record.getMessage()
        when = timestamp.to_text(record.created)
        if self._kind == "json":
            return json.dumps({"level": level, "msg": message, "time": when})
        return f"time={json.dumps(when)} level={level} msg={json.dumps(message)}"


class _Plain(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line = f"rootless-runtime: {record.getMessage()}"
        return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in line)


def configure(path: str, kind: str, *, debug: bool) -> None:
    """Say warnings and errors on stderr, and in the file `path` unless it is ""."""
    root = logging.getLogger()
    root.setLevel(logging.DEBUG if debug else logging.WARNING)
    plain = logging.StreamHandler(sys.stderr)
    plain.setFormatter(_Plain())
    root.addHandler(plain)
    if kind not in _FORMATS:
        raise InvalidInput("unknown log format", kind, "text or json")
    if path:
        try:
            handler = logging.FileHandler(path)
        except OSError as error:
            raise InvalidInput(f"cannot write the log: {error.strerror}", path) from error
        handler.setFormatter(_Formatter(kind))
        root.addHandler(handler)


def say(error: RootlessError) -> None:
    """Log the error that ends the verb."""
    words = ""
    if isinstance(error, CommandNotFound):
        words = ": executable file not found in $PATH"
    elif isinstance(error, CannotExecute):
        words = ": permission denied"
    logging.getLogger("rootless").error("%s%s", error, words)
