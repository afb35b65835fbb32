"""What becomes of a container without anybody at its terminal: its end, its restarts, its log."""

import signal
from dataclasses import dataclass

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
    """

    restart: str = "no"
    most_restarts: int = 0
    stop_signal: int = int(signal.SIGTERM)
    stop_timeout: float = DEFAULT_STOP_TIMEOUT
    remove: bool = False
    log_bytes: int = DEFAULT_LOG_BYTES
    log_files: int = DEFAULT_LOG_FILES

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
