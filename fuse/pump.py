"""The session loop: pyfuse3's own, driven without the costs that a request does not need.

Measured with the stock `pyfuse3.main()`, a request costs 95 µs, of which the file system's own
work is 10. The rest is scheduling, and each step below takes a part of it away (docs/benchmarks.md
has the commands):

1. **One worker.** With the defaults, pyfuse3 starts a trio task for each request and ends it
   again. `pyfuse3.main(1, 1)` keeps one task that reads, handles and answers. Our handlers never
   wait for anything but local files, so nothing is lost.
2. **No scheduler round trip while requests wait.** pyfuse3 takes `trio` from its own module
   attribute (its asyncio mode replaces it there), so it is given a stand-in: a `Lock` that does
   not yield when it is free, and a `wait_readable` that asks poll(2) first. Every `FAIRNESS`
   requests the loop yields to trio's scheduler all the same, or else a busy client would keep
   SIGTERM and the end of the owner from ever being seen.
3. **Work for the gaps.** After an answer the client needs a few microseconds to ask for more. In
   that gap `work()` is called (the prefetch: data for files that will be asked for next), slice
   by slice, with a look at the descriptor after each.
4. **A short busy-poll.** When there is no such work the loop looks again for up to `SPIN_NS`
   before it sleeps, which saves a sleep and a wake-up on ping-pong loads. The window halves each
   time it was in vain and doubles when it was not; an idle server sleeps, and on a machine with
   one CPU the client would only be kept waiting, so there is no window at all.
5. **A doze before the sleep.** For `DOZE_MS` the loop sleeps in poll(2) itself, on the session
   alone; going to sleep through trio's scheduler and waking up costs 9.4 µs of CPU, poll(2) 1.9.
   It matters on a busy machine, where busy-polling is in vain. SIGTERM and the end of the owner
   wait that long at most, and a doze counts much towards `FAIRNESS`.

The session's descriptor is made non-blocking: a request whose client was killed vanishes between
poll(2) and read(2), and a blocking read would then hold the whole process, the signal handling
included, until the next request. pyfuse3 reports EAGAIN as an error that ends its loop; the loop
is then simply entered again.

The stand-in changes nothing in trio itself and nothing for other users of trio in the process.
"""

import errno
import os
import select
import time
from collections.abc import Callable
from types import SimpleNamespace, TracebackType
from typing import Any

import pyfuse3
import trio

FAIRNESS = 64
SPIN_NS = 100_000
DOZE_MS = 4
_DOZE_WEIGHT = 8
_SPIN_FLOOR_NS = 5_000


def no_work() -> bool:
    """Return False: nothing to do in the gaps between requests."""
    return False


class Pump:
    """Runs the session that `pyfuse3.init` opened.

    Args:
        work: Does one short slice of work in a gap between requests and returns whether it did
            any. It must not raise.
    """

    def __init__(self, work: Callable[[], bool] = no_work) -> None:
        self._work = work
        self._poll: Callable[[int], list[tuple[int, int]]] | None = None
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
            while await self._loop_once():
                pass
        finally:
            pyfuse3_module.trio = trio

    async def _loop_once(self) -> bool:
        """Return whether the loop has to be entered again."""
        try:
            await pyfuse3.main(min_tasks=1, max_tasks=1)
        except BaseExceptionGroup as group:
            vanished, other = group.split(_is_vanished_request)
            if other is not None:
                _, other = other.split(_is_end_of_mount)
                if other is not None:
                    raise
                return False
            return vanished is not None
        return False

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

    async def _wait_readable(self, fd: int) -> None:
        poll = self._poll
        if poll is None:
            poll = self._poll = _adopt(fd)
        if not poll(0) and not self._linger(poll):
            if not poll(DOZE_MS):
                self._since_checkpoint = 0
                await trio.lowlevel.wait_readable(fd)
                return
            self._since_checkpoint += _DOZE_WEIGHT
        self._since_checkpoint += 1
        if self._since_checkpoint >= FAIRNESS:
            self._since_checkpoint = 0
            await trio.lowlevel.checkpoint()

    def _linger(self, poll: Callable[[int], list[tuple[int, int]]]) -> bool:
        """Use the gap; return whether a request came while we did."""
        while self._work():
            if poll(0):
                return True
        clock = time.perf_counter_ns
        deadline = clock() + self._spin_ns
        while clock() < deadline:
            if poll(0):
                self._spin_ns = min(2 * self._spin_ns, self._spin_max_ns)
                return True
        self._spin_ns = max(self._spin_ns // 2, min(_SPIN_FLOOR_NS, self._spin_max_ns))
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


def _adopt(fd: int) -> Callable[[int], list[tuple[int, int]]]:
    """Prepare the session's descriptor; return its poll: readable, or the connection's end."""
    os.set_blocking(fd, False)
    poll = select.poll()
    poll.register(fd, select.POLLIN)
    return poll.poll


def _is_vanished_request(error: BaseException) -> bool:
    return isinstance(error, OSError) and error.errno == errno.EAGAIN


def _is_end_of_mount(error: BaseException) -> bool:
    """Return whether a request was being read while the mount was taken away."""
    return isinstance(error, OSError) and error.errno == errno.ECONNABORTED
