"""Health checks: a command that is run in the container again and again, and what is made of it.

`starting` until the first success; `unhealthy` after so many failures in a row, and `healthy` again
after one success. Failures within the first seconds do not count (Docker's HEALTHCHECK).
"""

import select
import signal
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from rootless.errors import InvalidInput, RootlessError
from rootless.linux import pidfd

STARTING, HEALTHY, UNHEALTHY = "starting", "healthy", "unhealthy"


@dataclass(frozen=True, slots=True)
class HealthCheck:
    """What is run, and when.

    Attributes:
        command: Program and arguments.
        interval: Seconds between two checks.
        timeout: Seconds after which one has failed.
        start_period: Seconds within which failures do not count.
        retries: So many failures in a row make it unhealthy.
    """

    command: tuple[str, ...]
    interval: float = 30.0
    timeout: float = 30.0
    start_period: float = 0.0
    retries: int = 3


class Started(Protocol):
    """A command that runs in the container."""

    pidfd: int

    def wait(self) -> int:
        """Return its exit status."""
        ...

    def close(self) -> None:
        """Close what is open of it."""
        ...


class Health:
    """The checks of one run.

    Args:
        check: What to do.
        start: Starts the command in the container.
        now: Seconds of a clock that only goes forward.
    """

    def __init__(self, check: HealthCheck, start: Callable[[], Started], now: float) -> None:
        self.status = STARTING
        self._check = check
        self._start = start
        self._began = now
        self._due = now + check.interval
        self._failures = 0
        self._running: Started | None = None

    def interests(self) -> Mapping[int, int]:
        """Return what to wait for."""
        return {} if self._running is None else {self._running.pidfd: select.POLLIN}

    def patience_s(self, now: float) -> float:
        """Return after how long there is something to do without an event."""
        return max(0.0, self._due - now)

    def serve(self, ready: Mapping[int, int], now: float) -> None:
        """Take the end of a check, end one that takes too long, or begin the next."""
        running = self._running
        if running is not None and running.pidfd in ready:
            self._end(running.wait(), now)
        elif now < self._due:
            return
        elif running is not None:
            pidfd.kill_and_wait(running.pidfd, 1.0)
            running.wait()
            self._end(1, now)
        else:
            self._begin(now)

    def close(self) -> None:
        """Let go of a check that still runs: its container has ended."""
        if self._running is not None:
            pidfd.send_signal(self._running.pidfd, signal.SIGKILL)
            self._running.wait()
            self._running.close()
            self._running = None

    def _begin(self, now: float) -> None:
        try:
            self._running = self._start()
        except (RootlessError, OSError):  # there is no such command, or the container is ending
            self._note(1, now)
        else:
            self._due = now + self._check.timeout

    def _end(self, status: int, now: float) -> None:
        if self._running is not None:
            self._running.close()
            self._running = None
        self._note(status, now)

    def _note(self, status: int, now: float) -> None:
        self._due = now + self._check.interval
        if status == 0:
            self._failures = 0
            self.status = HEALTHY
        elif now - self._began >= self._check.start_period or self.status == HEALTHY:
            self._failures += 1
            if self._failures >= self._check.retries:
                self.status = UNHEALTHY


def command_of(test: tuple[str, ...]) -> tuple[str, ...]:
    """Return the words of an image's `Healthcheck.Test`; none where there is no check."""
    if test[:1] == ("CMD",):
        return test[1:]
    if test[:1] == ("CMD-SHELL",) and len(test) == 2:
        return ("/bin/sh", "-c", test[1])
    if test in ((), ("NONE",)):
        return ()
    raise InvalidInput("the image's health check is not understood", " ".join(test))
