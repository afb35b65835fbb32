"""Asking the fetcher for what a lazy layer has not got yet: records over a stream socket.

    to the fetcher     layer, number, offset, length   `<IIQQ`
    from the fetcher   layer, number, errno, -         `<IIi4x`

A number of 0 asks for nothing: it tells that the run was there when it was first wanted, so that
the fetcher can remember the order of the first uses. Answers may come in any order; errno 0 says
that every chunk of the run is there now.

What is wanted at once goes first, what the kernel reads ahead after it; and no more than
`ASKED_MAX` questions are open, so that what comes later and is wanted more need not queue at the
fetcher's.
"""

import array
import fcntl
import logging
import os
import struct
import termios
from collections import deque
from collections.abc import Iterator
from typing import Final, NamedTuple

log = logging.getLogger(__name__)

REQUEST: Final = struct.Struct("<IIQQ")
ANSWER: Final = struct.Struct("<IIi4x")

ASKED_MAX: Final = 64
_AHEAD_EVERY: Final = 4
"""Of so many questions one is for what is read ahead, however much is wanted at once."""

_NOTES_MAX: Final = 4096
_QUEUED_MAX: Final = 48 << 10
"""With so much on its way no note is added: questions must always find room."""

_READ_BYTES: Final = 16 << 10
_NUMBER_MAX: Final = 0xFFFFFFFF


class Question(NamedTuple):
    """What is asked for: the fields of a record."""

    layer: int
    number: int
    offset: int
    length: int


class FetchLink:
    """The server's end of the socket.

    Args:
        fd: A stream socket; the caller's to close.

    Attributes:
        has_ended: The fetcher is gone: nothing is answered any more.
    """

    def __init__(self, fd: int) -> None:
        self.fd = fd
        self.has_ended = False
        os.set_blocking(fd, False)
        self._last = 0
        self._wanted: deque[Question] = deque()
        self._ahead: deque[Question] = deque()
        self._asked: set[int] = set()
        self._notes: deque[tuple[int, int, int]] = deque(maxlen=_NOTES_MAX)
        self._in_a_row = 0  # what was wanted at once, while something read ahead stood back
        self._rest = b""

    def ask(self, layer: int, offset: int, length: int, *, is_ahead: bool) -> int:
        """Ask for a run, now or later; returns the number that its answer will have."""
        self._last = self._last % _NUMBER_MAX + 1
        question = Question(layer, self._last, offset, length)
        (self._ahead if is_ahead else self._wanted).append(question)
        return self._last

    def note(self, layer: int, offset: int, length: int) -> None:
        """Tell of a run that was there; what cannot be told soon is left out."""
        if not self.has_ended:
            self._notes.append((layer, offset, length))

    def send(self) -> None:
        """Send what there is to send."""
        while not self.has_ended and len(self._asked) < ASKED_MAX:
            question = self._next()
            if question is None:
                break
            if not self._write(REQUEST.pack(*question)):
                self._wanted.appendleft(question)
                return
            self._asked.add(question.number)
        if self._notes:
            self._send_notes()

    def answers(self) -> Iterator[tuple[int, int]]:
        """Yield number and errno of the answers that have come; sends what may go after them."""
        while not self.has_ended:
            try:
                data = os.read(self.fd, _READ_BYTES)
            except BlockingIOError:
                break
            except OSError as error:
                log.debug("the fetcher: %s", error)
                data = b""
            if not data:
                self.has_ended = True
                break
            data = self._rest + data
            whole = len(data) - len(data) % ANSWER.size
            self._rest = data[whole:]
            for _, number, reason in ANSWER.iter_unpack(data[:whole]):
                if number in self._asked:
                    self._asked.discard(number)
                    yield number, reason
        self.send()

    def _next(self) -> Question | None:
        """Return what is asked next."""
        if self._ahead and (not self._wanted or self._in_a_row >= _AHEAD_EVERY - 1):
            self._in_a_row = 0
            return self._ahead.popleft()
        self._in_a_row = self._in_a_row + 1 if self._ahead else 0
        return self._wanted.popleft() if self._wanted else None

    def _send_notes(self) -> None:
        queued = array.array("i", [0])
        fcntl.ioctl(self.fd, termios.TIOCOUTQ, queued)
        room = (_QUEUED_MAX - queued[0]) // REQUEST.size
        if room <= 0:
            return
        notes = [self._notes.popleft() for _ in range(min(room, len(self._notes)))]
        self._write(b"".join(REQUEST.pack(layer, 0, at, size) for layer, at, size in notes))

    def _write(self, data: bytes) -> bool:
        """Return whether the fetcher has it, or never will."""
        try:
            os.write(self.fd, data)
        except BlockingIOError:
            return False
        except OSError as error:
            log.debug("the fetcher: %s", error)
            self.has_ended = True
        return True
