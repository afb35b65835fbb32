"""The end of a network: what a workload sent last still leaves.

A program that has written and closed its connection may end; the kernel sends the rest. In a
network namespace the rest would be lost with the forwarder, so that is given a moment.
"""

import time
from collections.abc import Iterable

_TABLES = ("/proc/self/net/tcp", "/proc/self/net/tcp6")
# include/net/tcp_states.h: closed here, and not all of it acknowledged by the other side
_UNSENT = {"04": "FIN_WAIT1", "09": "LAST_ACK", "0B": "CLOSING"}
_PATIENCE = 2.0
_STEP = 0.01


def wait_until_sent() -> None:
    """Wait until no connection of this network namespace has anything left to send, 2 s at most."""
    deadline = time.monotonic() + _PATIENCE
    while any(has_unsent(_lines(table)) for table in _TABLES) and time.monotonic() < deadline:
        time.sleep(_STEP)


def has_unsent(lines: Iterable[str]) -> bool:
    """Tell whether a table as in proc(5), "tcp", has a closed connection with data left."""
    return any(len(words) > 3 and words[3] in _UNSENT for words in map(str.split, lines))


def _lines(path: str) -> list[str]:
    try:
        with open(path, encoding="ascii") as file:
            return file.readlines()[1:]
    except OSError:
        return []
