"""Signals of who starts a program: what it must not take along, and what is passed on to it."""

import os
import resource
import signal
from typing import NoReturn, Self

from rootless.linux.pidfd import send_signal

FORWARDED = (
    signal.SIGHUP,
    signal.SIGINT,
    signal.SIGQUIT,
    signal.SIGTERM,
    signal.SIGUSR1,
    signal.SIGUSR2,
)
"""What is passed on whoever it came to; some pass on more."""


def end_by(number: int) -> NoReturn:
    """End this process by a signal, as the workload was: who waits for it sees the same."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # the dump of interest is the workload's
    if number != signal.SIGKILL:
        signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [number])
    os.kill(os.getpid(), number)
    os._exit(128 + number)  # of a signal that ends nobody by default


class Forwarding:
    """Passes signals on to a process that has a session of its own; a context manager.

    Those that come before there is such a process wait for it; the second one then ends the caller,
    with the status of a signal.
    """

    def __init__(self) -> None:
        self._pidfd = -1
        self._waiting: list[int] = []
        self._before: dict[signal.Signals, object] = {}

    def __enter__(self) -> Self:
        for number in FORWARDED:
            self._before[number] = signal.signal(number, self._forward)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)  # type: ignore[arg-type]

    def to(self, pidfd: int) -> None:
        """Pass them on to this process from here on."""
        self._pidfd = pidfd
        for number in self._waiting:
            send_signal(pidfd, number)

    def _forward(self, number: int, _frame: object) -> None:
        if self._pidfd >= 0:
            send_signal(self._pidfd, number)
        elif self._waiting:
            raise SystemExit(128 + number)
        else:
            self._waiting.append(number)
