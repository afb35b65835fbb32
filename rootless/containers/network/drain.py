"""The end of a network: what a workload sent last still leaves.

A program that has written and closed its connection may end; the kernel sends the rest. In a
network namespace the rest would be lost with the forwarder, so that is given a moment.
"""

import time
from collections.abc import Iterable

_TABLES = ("/proc/self/net/tcp", "/proc/self/net/tcp6")
# include/net/tcp_states.h: closed here, and not all of it acknowledged by the other side
_CLOSED = {"04": "FIN_WAIT1", "09": "LAST_ACK", "0B": "CLOSING"}
_PATIENCE = 2.0
_STEP = 0.01


def wait_until_sent() -> None:
    """Wait until no closed connection of this network namespace has anything left to send.

    Two seconds without progress are the end of it: the other side may never read.
    """
    left, deadline = _unsent_here(), time.monotonic() + _PATIENCE
    while left and time.monotonic() < deadline:
        time.sleep(_STEP)
        now = _unsent_here()
        if now != left:
            left, deadline = now, time.monotonic() + _PATIENCE


def _unsent_here() -> int:
    return sum(unsent(_lines(table)) for table in _TABLES)


def unsent(lines: Iterable[str]) -> int:
    """Return how many bytes closed connections have left, by a table as in proc(5), "tcp".

    The end of a connection counts as one, as it does for the kernel.
    """
    rows = [words for words in map(str.split, lines) if len(words) > 4 and words[3] in _CLOSED]
    return sum(max(1, int(words[4].partition(":")[0], 16)) for words in rows)


def _lines(path: str) -> list[str]:
    try:
        with open(path, encoding="ascii") as file:
            return file.readlines()[1:]
    except OSError:
        return []
