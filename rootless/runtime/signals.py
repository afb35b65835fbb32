"""Signals of who starts a program: what it must not take along, and what is passed on to it."""

import contextlib
import signal
from collections.abc import Iterator, Sequence

from rootless.linux.pidfd import send_signal

_FORWARDED = (
    signal.SIGHUP,
    signal.SIGINT,
    signal.SIGQUIT,
    signal.SIGTERM,
    signal.SIGUSR1,
    signal.SIGUSR2,
)


def reset_signals() -> None:
    """Undo what the interpreter and PID 1 set: the program starts as from a shell."""
    for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
        try:
            signal.signal(number, signal.SIG_DFL)
        except OSError:
            continue  # the C library keeps some for itself
    signal.set_wakeup_fd(-1)
    signal.pthread_sigmask(signal.SIG_SETMASK, [])


@contextlib.contextmanager
def forwarding(pidfds: Sequence[int]) -> Iterator[None]:
    """Pass signals on to processes with sessions of their own; `pidfds` may grow meanwhile."""

    def forward(number: int, _frame: object) -> None:
        for pidfd in pidfds:
            send_signal(pidfd, number)

    before = {number: signal.signal(number, forward) for number in _FORWARDED}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
