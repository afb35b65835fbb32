"""What becomes of a container without anybody at its terminal: its end, its restarts, its log."""

import math
import re
import signal
from collections.abc import Iterable
from dataclasses import dataclass

from rootless.bundle import parse
from rootless.containers.health import HealthCheck
from rootless.errors import InvalidInput

RESTARTS = ("no", "on-failure", "always", "unless-stopped")
DEFAULT_STOP_TIMEOUT = 10.0
DEFAULT_LOG_BYTES = 10 << 20
DEFAULT_LOG_FILES = 3


@dataclass(frozen=True, slots=True)
class Policy:
    """The rules that its monitor goes by.

    Attributes:
        restart: One of RESTARTS.
        most_restarts: With "on-failure", how often; 0 for without end.
        stop_signal: What `stop` sends first.
        stop_timeout: Seconds until `stop` sends SIGKILL.
        remove: It goes when it ends.
        log_bytes: Size at which the log is rotated.
        log_files: How many are kept, the one that grows included.
        health: How it is asked whether it is well; None for not at all.
    """

    restart: str = "no"
    most_restarts: int = 0
    stop_signal: int = int(signal.SIGTERM)
    stop_timeout: float = DEFAULT_STOP_TIMEOUT
    remove: bool = False
    log_bytes: int = DEFAULT_LOG_BYTES
    log_files: int = DEFAULT_LOG_FILES
    health: HealthCheck | None = None

    def starts_again(self, status: int, restarts: int) -> bool:
        """Tell whether a container that ended by itself is started again."""
        if self.restart in ("always", "unless-stopped"):
            return True
        wanted = self.restart == "on-failure" and status != 0
        return wanted and (self.most_restarts == 0 or restarts < self.most_restarts)


def parse_restart(text: str) -> tuple[str, int]:
    """Return policy and limit of `--restart`; raises InvalidInput."""
    name, colon, limit = text.partition(":")
    bad_limit = colon and (name != "on-failure" or not (limit.isascii() and limit.isdigit()))
    if name not in RESTARTS or bad_limit:
        raise InvalidInput(
            "not a restart policy", text, "no, on-failure[:N], always, unless-stopped"
        )
    return name, int(limit or 0)


def log_options(options: Iterable[str]) -> tuple[int, int]:
    """Return size and number of `--log-opt max-size=…,max-file=…`; raises InvalidInput."""
    size, files = DEFAULT_LOG_BYTES, DEFAULT_LOG_FILES
    for option in (word for text in options for word in text.split(",")):
        key, _, value = option.partition("=")
        if key == "max-size":
            size = parse.size(value)
        elif key == "max-file" and value.isascii() and value.isdigit() and 0 < int(value) <= 100:
            files = int(value)
        else:
            raise InvalidInput("not a log option", option, "max-size=SIZE or max-file=1..100")
    return size, files


def seconds(text: str, option: str) -> float:
    """Return the seconds of an option; -1 is for ever. Raises InvalidInput."""
    if not re.fullmatch(r"-1|\d{1,9}(\.\d{1,9})?", text):
        raise InvalidInput(f"{option} takes seconds", text)
    return math.inf if text == "-1" else float(text)


def parse_signal(text: str) -> int:
    """Return a signal's number: `TERM`, `SIGTERM`, `15`, `RTMIN+3`; raises InvalidInput."""
    if text.isascii() and text.isdigit():
        if 1 <= int(text) <= signal.SIGRTMAX:
            return int(text)
    else:
        name, plus, offset = text.upper().removeprefix("SIG").partition("+")
        found = signal.Signals.__members__.get(f"SIG{name}")
        if found is not None and not plus:
            return int(found)
        if name == "RTMIN" and offset.isascii() and offset.isdigit():
            number = signal.SIGRTMIN + int(offset)
            if number <= signal.SIGRTMAX:
                return number
    raise InvalidInput("no such signal", text, "a name such as TERM, or a number")
