"""Requests that wait for what a lazy layer has not got yet.

A handler that finds something absent raises `Absent`, having changed nothing that a second run
would not do again. The kernel's message is put aside whole, the fetcher is asked, and when it has
answered, the message is answered as if it had just come. So no handler knows of waiting, a request
that wants something else meanwhile is served, and what a request finds the second time is what
there is then.

- What several requests want is asked for once, chunk by chunk.
- An interrupted request is answered with EINTR at once; what it had asked for comes all the same.
- A question that failed fails the request that asked it. A request that only waited along asks
  for itself, since it may have wanted another part.
- After the fetcher's end everything absent is EIO, and what is there is served on.
"""

import errno
import logging
import os
from collections import deque
from typing import NamedTuple

from . import wire
from .fetch_link import FetchLink
from .layer_bytes import Absent, Run

log = logging.getLogger(__name__)

REQUESTS_MAX = 1 << 16
BYTES_MAX = 64 << 20
"""What the messages of waiting requests may take; what is beyond fails at once."""

_QUESTION_BYTES = 4 << 20
"""More is asked for in pieces: who wants one of them should not wait for all."""

_ROUNDS_MAX = 64
"""So often a request may find something else absent. A fetcher that says so wrongly ends there."""


class Replay(NamedTuple):
    """A request whose waiting is over.

    Attributes:
        message: The kernel's message.
        errno: What it is to be answered with; 0: as if it had just come.
    """

    message: bytes
    errno: int


class _Request:
    """A request that waits.

    Attributes:
        message: The kernel's message.
        rounds: So often it has waited before.
        numbers: The questions that it waits for.
        own: Those among them that were asked for it.
        reason: What it is to be answered with when its waiting is over, 0 for what it finds then.
        read_end: Of a read: file and offset where it ends.
    """

    __slots__ = ("message", "numbers", "own", "read_end", "reason", "rounds")

    def __init__(self, message: bytes, rounds: int, read_end: tuple[int, int] | None) -> None:
        self.message = message
        self.rounds = rounds
        self.numbers: set[int] = set()
        self.own: set[int] = set()
        self.reason = 0
        self.read_end = read_end


class _Question(NamedTuple):
    """A question that is open: layer, where its chunks begin, and the requests that wait."""

    layer: int
    starts: tuple[int, ...]
    waiters: list[int]


class Waiting:
    """All requests of a session that wait.

    Args:
        link: The fetcher.

    Attributes:
        link: The same.
        missed: What the request at hand found absent; None where it found everything.
    """

    def __init__(self, link: FetchLink) -> None:
        self.link = link
        self.missed: Absent | None = None
        self._requests: dict[int, _Request] = {}
        self._bytes = 0
        self._questions: dict[int, _Question] = {}
        self._asked: dict[tuple[int, int], int] = {}  # the question by layer and chunk's offset
        self._read_ends: set[tuple[int, int]] = set()
        self._ready: deque[int] = deque()
        self._replayed = (0, 0)  # the request that was replayed last, and its rounds
        self._is_failing = False

    def __len__(self) -> int:
        return len(self._requests)

    @property
    def is_ready(self) -> bool:
        """Whether there is something for `next`."""
        return bool(self._ready)

    def miss(self, absent: Absent) -> None:
        """Raise what was found absent, and remember it for who is told of an errno only."""
        self.missed = absent
        raise absent

    def put(self, message: bytes, absent: Absent) -> int:
        """Put a request aside and ask for what it needs.

        Returns:
            0, or the errno with which it is to be answered, where it cannot wait.
        """
        unique = _unique(message)
        rounds = self._replayed[1] + 1 if self._replayed[0] == unique else 0
        if self.link.has_ended:
            return errno.EIO
        if rounds > _ROUNDS_MAX or not self._has_room(len(message)):
            log.error("a request is not put aside: %d wait, %d times", len(self), rounds)
            return errno.EIO
        read_begin, read_end = _read_bounds(message)
        request = _Request(message, rounds, read_end)
        is_ahead = read_begin in self._read_ends
        self._ask(unique, request, absent, is_ahead=is_ahead)
        self._requests[unique] = request
        self._bytes += len(message)
        if read_end is not None:
            self._read_ends.add(read_end)
        self.link.send()
        if self.link.has_ended:
            self._end()
        return 0

    def interrupt(self, unique: int) -> bool:
        """Forget a request that is to be answered with EINTR; return False for any other."""
        return self._take(unique) is not None

    def collect(self) -> bool:
        """Take the fetcher's answers; return False from its end on."""
        if self.link.has_ended:
            return False
        for number, reason in self.link.answers():
            self._answered(number, reason)
        if self.link.has_ended:
            self._end()
        return not self.link.has_ended

    def next(self) -> Replay | None:
        """Return a request whose waiting is over; None where there is none."""
        while self._ready:
            unique = self._ready.popleft()
            request = self._take(unique)
            if request is not None:
                self._replayed = (unique, request.rounds)
                return Replay(request.message, request.reason)
        return None

    def _has_room(self, size: int) -> bool:
        return len(self._requests) < REQUESTS_MAX and self._bytes + size <= BYTES_MAX

    def _take(self, unique: int) -> _Request | None:
        request = self._requests.pop(unique, None)
        if request is not None:
            self._bytes -= len(request.message)
            if request.read_end is not None:
                self._read_ends.discard(request.read_end)
        return request

    def _ask(self, unique: int, request: _Request, absent: Absent, *, is_ahead: bool) -> None:
        """Let a request wait for the chunks that it misses; those that nobody asked for, ask."""
        run: list[Run] = []
        for chunk in absent.chunks:
            number = self._asked.get((absent.layer, chunk[0]))
            is_next = run and sum(run[-1]) == chunk[0] and sum(chunk) - run[0][0] <= _QUESTION_BYTES
            if run and (number is not None or not is_next):
                self._ask_run(unique, request, absent.layer, run, is_ahead=is_ahead)
                run = []
            if number is None:
                run.append(chunk)
            elif number not in request.numbers:
                request.numbers.add(number)
                self._questions[number].waiters.append(unique)
        if run:
            self._ask_run(unique, request, absent.layer, run, is_ahead=is_ahead)

    def _ask_run(
        self, unique: int, request: _Request, layer: int, run: list[Run], *, is_ahead: bool
    ) -> None:
        first = run[0][0]
        number = self.link.ask(layer, first, sum(run[-1]) - first, is_ahead=is_ahead)
        starts = tuple(offset for offset, _ in run)
        self._questions[number] = _Question(layer, starts, [unique])
        self._asked.update(((layer, offset), number) for offset in starts)
        request.numbers.add(number)
        request.own.add(number)

    def _answered(self, number: int, reason: int) -> None:
        question = self._questions.pop(number, None)
        if question is None:
            return
        for offset in question.starts:
            del self._asked[question.layer, offset]
        if bool(reason) != self._is_failing:
            self._is_failing = bool(reason)
            if reason:
                log.error("what a layer has not got yet cannot be had: %s", os.strerror(reason))
            else:
                log.warning("what layers have not got yet can be had again")
        for unique in question.waiters:
            request = self._requests.get(unique)
            if request is None:
                continue
            request.numbers.discard(number)
            if reason and number in request.own:
                request.reason = reason
                request.numbers.clear()
            if not request.numbers:
                self._ready.append(unique)

    def _end(self) -> None:
        """Let all that waits fail: nothing comes any more."""
        log.error("the fetcher has ended: what the layers have not got yet cannot be read")
        self._questions.clear()
        self._asked.clear()
        for unique, request in self._requests.items():
            # What came with its last words may be enough: such a request finds it, others EIO.
            request.numbers.clear()
            self._ready.append(unique)


def _unique(message: bytes) -> int:
    return int(wire.REQUEST.unpack_from(message)[2])


def _read_bounds(message: bytes) -> tuple[tuple[int, int] | None, tuple[int, int] | None]:
    """Return where a read begins and where it ends, each with its file; None for all else."""
    _, opcode, _, ino, *_ = wire.REQUEST.unpack_from(message)
    if opcode != wire.READ:
        return None, None
    _, offset, size = wire.READ_IN.unpack_from(message, wire.BODY)
    return (ino, offset), (ino, offset + size)
