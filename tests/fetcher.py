"""A small fetcher for tests: brings runs of lazy layers out of their tars, as a test wants it."""

import os
import socket
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from chunks import bring

from fuse.fetch_link import ANSWER, REQUEST


class Asked(NamedTuple):
    """A record that a server has sent."""

    layer: int
    number: int
    offset: int
    length: int


class Fetcher(threading.Thread):
    """Reads what a server asks for; ends with the server.

    Args:
        end: The fetcher's end of the pair of sockets.
        tars: The layers' tars, lowest first.
        answers: Called for each question, by this thread; without it each is answered at once.

    Attributes:
        asked: The questions so far.
        notes: What was there when it was first wanted.
    """

    def __init__(
        self,
        end: socket.socket,
        tars: Sequence[Path],
        answers: "Callable[[Fetcher, Asked], None] | None" = None,
    ) -> None:
        super().__init__(daemon=True)
        self.asked: list[Asked] = []
        self.notes: list[Asked] = []
        self.answers = answers
        self._end = end
        self._tars = tars
        self._changed = threading.Condition()

    def run(self) -> None:
        """Serve until the server's end is closed."""
        rest = b""
        while data := self._end.recv(1 << 16):
            data = rest + data
            whole = len(data) - len(data) % REQUEST.size
            rest = data[whole:]
            for fields in REQUEST.iter_unpack(data[:whole]):
                self._take(Asked(*fields))

    def _take(self, record: Asked) -> None:
        with self._changed:
            (self.asked if record.number else self.notes).append(record)
            self._changed.notify_all()
        if record.number and self.answers is not None:
            self.answers(self, record)
        elif record.number:
            self.answer(record)

    def answer(self, question: Asked, errno: int = 0) -> None:
        """Bring what is asked for, or say why not."""
        if not errno:
            bring(self._tars[question.layer], question.offset, question.length)
        self._end.send(ANSWER.pack(question.layer, question.number, errno))

    def wait_for(self, count: int, within: float = 20.0) -> list[Asked]:
        """Wait for so many questions and return them."""
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.asked) >= count, within), self.asked
            return list(self.asked)


def never(fetcher: Fetcher, question: Asked) -> None:
    """Leave a question open."""


def fork_fetcher(
    end: socket.socket,
    tars: Sequence[Path],
    answers: "Callable[[Fetcher, Asked], None] | None" = None,
) -> int:
    """Start a fetcher as a process of its own, which ends with the server; return its number."""
    pid = os.fork()
    if not pid:
        status = 1
        # What else is open here, the server's lifeline among it, is not for this process
        os.closerange(3, end.fileno())
        os.closerange(end.fileno() + 1, 1024)
        try:
            Fetcher(end, tars, answers).run()
            status = 0
        finally:
            os._exit(status)
    return pid
