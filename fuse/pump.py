"""The session loop: pyfuse3's own, fed by ours, without the costs that a request does not need.

Measured with the stock `pyfuse3.main()`, a request costs 95 µs, of which the file system's own
work is 10. The rest is scheduling and the making of objects, and each step below takes a part of
it away (docs/performance.md has the numbers and the commands):

1. **A fast path.** Frequent kinds of request are answered straight from the kernel's message
   (`fast_path`); pyfuse3 gets the others, one at a time, through `exchange`.
2. **One worker.** With the defaults, pyfuse3 starts a trio task for each request and ends it
   again. `pyfuse3.main(1, 1)` keeps one task that reads, handles and answers. Our handlers never
   wait for anything but local files, so nothing is lost.
3. **No scheduler round trip while requests wait.** pyfuse3 takes `trio` from its own module
   attribute (its asyncio mode replaces it there), so it is given a stand-in: a `Lock` that does
   not yield when it is free, and a `wait_readable` that is this loop: it returns when there is a
   request for pyfuse3. Every `FAIRNESS` requests the loop yields to trio's scheduler all the same,
   or else a busy client would keep SIGTERM and the end of the owner from ever being seen.
4. **Work for the gaps.** After an answer the client needs a few microseconds to ask for more. In
   that gap `work()` is called (the prefetch: data for files that will be asked for next), slice
   by slice, with a look at the descriptor after each.
5. **A short busy-poll.** When there is no such work the loop looks again for up to `SPIN_NS`
   before it sleeps, which saves a sleep and a wake-up on ping-pong loads. The window shrinks each
   time it was in vain and is whole again when it was not; an idle server sleeps, and on a machine
   with one CPU the client would only be kept waiting, so there is no window at all.
6. **A doze before the sleep.** For `DOZE_MS` the loop sleeps in poll(2) itself, on the session
   alone; going to sleep through trio's scheduler and waking up costs 9.4 µs of CPU, poll(2) 1.9.
   It matters on a busy machine, where busy-polling is in vain. SIGTERM and the end of the owner
   wait that long at most, and a doze counts much towards `FAIRNESS`.
7. **Requests that wait** for a lazy layer's contents (`waiting`) cost the others nothing: the
   fetcher's answers are looked for when nothing comes from the kernel, and after each `FAIRNESS`
   requests.

The connection is non-blocking: a request whose client was killed vanishes between poll(2) and
read(2), and a blocking read would then hold the whole process, the signal handling included, until
the next request.

The stand-in changes nothing in trio itself and nothing for other users of trio in the process.
"""

import enum
import errno
import os
import select
import time
from collections.abc import Callable
from types import SimpleNamespace, TracebackType
from typing import Any

import pyfuse3
import trio

from .exchange import Exchange
from .fast_path import FastPath
from .waiting import Waiting

FAIRNESS = 64
SPIN_NS = 100_000
DOZE_MS = 4
BACKGROUND = 4096
"""Reads ahead that may wait at once. With the kernel's own 12, those of absent files would keep all
others from being read."""

_DOZE_WEIGHT = 8
_SPIN_FLOOR_NS = 5_000

# What read(2) says when a request vanished, was interrupted, or is not there; and at the end.
_AGAIN = (errno.EAGAIN, errno.EINTR, errno.ENOENT)
_ENDED = (errno.ENODEV, errno.ECONNABORTED)

_Poll = Callable[[int], list[tuple[int, int]]]


def no_work() -> bool:
    """Return False: nothing to do in the gaps between requests."""
    return False


class _Turn(enum.Enum):
    """Why the loop stopped for a moment."""

    PYFUSE3 = enum.auto()  # a request was handed over
    END = enum.auto()  # of the mount
    YIELD = enum.auto()
    REPLAY = enum.auto()  # requests that have waited, or the fetcher, may have something
    SLEEP = enum.auto()


class Pump:
    """Runs the session that `pyfuse3.init` opened.

    Args:
        fast_path: Answers what it can.
        work: Does one short slice of work in a gap between requests and returns whether it did
            any. It must not raise.
    """

    def __init__(self, fast_path: FastPath, work: Callable[[], bool] = no_work) -> None:
        self._fast_path = fast_path
        self._work = work
        self._waiting = fast_path.waiting
        self._exchange: Exchange | None = None
        self._sleep_fd = -1
        self._both: select.epoll | None = None
        self._poll: _Poll = select.poll().poll
        self._spin_max_ns = SPIN_NS if len(os.sched_getaffinity(0)) > 1 else 0
        self._spin_ns = self._spin_max_ns
        self._since_checkpoint = 0

    async def run(self) -> None:
        """Serve until the file system is unmounted.

        Cancelling ends the loop between two requests. Anything else that comes out of here means
        that the session is dead while the mount is not: the caller must end the process.
        """
        pyfuse3_module: Any = pyfuse3
        pyfuse3_module.trio = self._stand_in()
        try:
            await pyfuse3.main(min_tasks=1, max_tasks=1)
        finally:
            pyfuse3_module.trio = trio
            if self._exchange is not None:
                self._exchange.close()
            if self._both is not None:
                self._both.close()

    def _stand_in(self) -> SimpleNamespace:
        """Return what pyfuse3 gets for the module `trio`: the names that it uses, no more."""
        return SimpleNamespace(
            Lock=_FreeLock,
            open_nursery=trio.open_nursery,
            ClosedResourceError=trio.ClosedResourceError,
            lowlevel=SimpleNamespace(
                wait_readable=self._wait_readable,
                notify_closing=trio.lowlevel.notify_closing,
                current_task=trio.lowlevel.current_task,
                current_trio_token=trio.lowlevel.current_trio_token,
            ),
        )

    async def _wait_readable(self, session_fd: int) -> None:
        """Return when pyfuse3 has a request to read; ClosedResourceError ends its loop."""
        exchange = self._exchange
        if exchange is None:
            exchange = self._open(session_fd)
        else:
            self._bring_back(exchange)
        while True:
            if self._waiting is not None and self._replay(exchange, self._waiting):
                return
            turn = self._serve(exchange)
            if turn is _Turn.PYFUSE3:
                return
            if turn is _Turn.END:
                raise trio.ClosedResourceError
            if turn is _Turn.REPLAY:
                continue
            self._since_checkpoint = 0
            if turn is _Turn.SLEEP:
                await trio.lowlevel.wait_readable(self._sleep_fd)
            else:
                await trio.lowlevel.checkpoint()

    def _open(self, session_fd: int) -> Exchange:
        waiting = self._waiting
        background = 0 if waiting is None else BACKGROUND
        exchange = self._exchange = Exchange(session_fd, self._fast_path.wanted, background)
        self._watch(exchange.kernel_fd)
        if waiting is not None:
            self._watch(exchange.kernel_fd, waiting.link.fd)
        self._fast_path.attach(exchange.kernel_fd)
        return exchange

    def _watch(self, kernel_fd: int, fetcher_fd: int = -1) -> None:
        """Wait for these from now on."""
        poll = select.poll()
        poll.register(kernel_fd, select.POLLIN)
        self._poll, self._sleep_fd = poll.poll, kernel_fd
        if self._both is not None:
            self._both.close()
            self._both = None
        if fetcher_fd >= 0:
            poll.register(fetcher_fd, select.POLLIN)
            self._both = select.epoll()
            for fd in (kernel_fd, fetcher_fd):
                self._both.register(fd, select.EPOLLIN)
            self._sleep_fd = self._both.fileno()

    def _bring_back(self, exchange: Exchange) -> None:
        """Give the kernel pyfuse3's answer, or put the request aside for which it has none."""
        waiting = self._waiting
        if waiting is not None and waiting.missed is not None:
            exchange.drop()
            self._fast_path.put_aside(waiting.missed)
        else:
            exchange.bring_back()
            self._fast_path.agreed = exchange.agreed

    def _replay(self, exchange: Exchange, waiting: Waiting) -> bool:
        """Answer requests that have waited; return whether one is for pyfuse3."""
        if self._both is not None and not waiting.collect():
            self._watch(exchange.kernel_fd)
        for _ in range(FAIRNESS):
            replay = waiting.next()
            if replay is None:
                break
            self._fast_path.take(replay.message)
            if replay.errno:
                self._fast_path.refuse(replay.errno)
            elif not self._fast_path.answer(len(replay.message)) and self._hand_over(
                exchange, len(replay.message)
            ):
                return True
        return False

    def _serve(self, exchange: Exchange) -> _Turn:
        """Answer requests until one is for pyfuse3, none comes, or others are to have a turn."""
        answer = self._fast_path.answer
        buffers = [self._fast_path.buffer]
        poll, fd = self._poll, exchange.kernel_fd
        while self._since_checkpoint < FAIRNESS:
            self._since_checkpoint += 1
            if not poll(0):
                if self._waiting is not None and self._waiting.is_ready:
                    return _Turn.REPLAY
                if not self._linger():
                    if not poll(DOZE_MS):
                        return _Turn.SLEEP
                    self._since_checkpoint += _DOZE_WEIGHT
            try:
                length = os.readv(fd, buffers)
            except OSError as error:
                if error.errno in _AGAIN:
                    if self._both is not None:
                        return _Turn.REPLAY
                    continue
                if error.errno in _ENDED:
                    return _Turn.END
                raise
            if not answer(length) and self._hand_over(exchange, length):
                return _Turn.PYFUSE3
        return _Turn.YIELD

    def _hand_over(self, exchange: Exchange, length: int) -> bool:
        """Give a request to pyfuse3; one that does not fit is refused, and False returned."""
        if self._waiting is not None:
            self._waiting.missed = None
        try:
            exchange.hand_over(self._fast_path.view[:length])
        except OSError as error:
            self._fast_path.refuse(error.errno or errno.EIO)
            return False
        return True

    def _linger(self) -> bool:
        """Use the gap; return whether a request came while we did."""
        poll = self._poll
        while self._work():
            if poll(0):
                return True
        clock = time.perf_counter_ns
        deadline = clock() + self._spin_ns
        while clock() < deadline:
            if poll(0):
                self._spin_ns = self._spin_max_ns
                return True
        self._spin_ns = max(self._spin_ns * 3 // 4, min(_SPIN_FLOOR_NS, self._spin_max_ns))
        return False


class _FreeLock:
    """Stands in for `trio.Lock`, which yields to the scheduler even when it is free.

    With one worker it is always free; it still excludes, so that a second worker would be correct.
    """

    def __init__(self) -> None:
        self._held = False
        self._waiting = trio.lowlevel.ParkingLot()

    async def __aenter__(self) -> None:
        while self._held:
            await self._waiting.park()
        self._held = True

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._held = False
        if self._waiting:
            self._waiting.unpark()
