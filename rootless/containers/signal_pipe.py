"""Signals on a descriptor, so that poll(2) waits for them: a pipe of one's own, or signalfd(2)."""

import contextlib
import os
import signal
from collections.abc import Iterable, Iterator
from typing import Protocol, Self

from rootless.linux.signal_fd import SI_KERNEL, read_signals, signalfd


class Signals(Protocol):
    """Where signals come from."""

    read_fd: int

    def take(self) -> Iterator[signal.Signals]:
        """Yield the signals that have come."""
        ...


class SignalPipe:
    """A context manager: within it these signals only come out of the pipe."""

    def __init__(self, numbers: Iterable[signal.Signals]) -> None:
        self.read_fd, self._write_fd = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._numbers = tuple(numbers)
        self._before: dict[signal.Signals, object] = {}

    def __enter__(self) -> Self:
        for number in self._numbers:
            if signal.getsignal(number) is not signal.SIG_IGN:  # nohup(1) stays in force
                self._before[number] = signal.signal(number, lambda _number, _frame: None)
        signal.set_wakeup_fd(self._write_fd, warn_on_full_buffer=False)
        return self

    def __exit__(self, *_: object) -> None:
        signal.set_wakeup_fd(-1)
        for number, handler in self._before.items():
            signal.signal(number, handler)  # type: ignore[arg-type]
        os.close(self.read_fd)
        os.close(self._write_fd)

    def take(self) -> Iterator[signal.Signals]:
        """Yield the signals that have come."""
        with contextlib.suppress(BlockingIOError):
            for number in os.read(self.read_fd, 512):
                yield signal.Signals(number)


class GroupSignals:
    """The same for who has a workload in his process group; a context manager.

    What the terminal sends goes to the group, so that the workload has it from there: it comes out
    of here only until `is_shared`. What somebody sends to this process is all that comes then.
    """

    def __init__(self, numbers: Iterable[signal.Signals]) -> None:
        self.is_shared = False
        self._numbers = [n for n in numbers if signal.getsignal(n) is not signal.SIG_IGN]
        self._before: set[int | signal.Signals] = set()
        self.read_fd = -1

    def __enter__(self) -> Self:
        self._before = signal.pthread_sigmask(signal.SIG_BLOCK, self._numbers)
        self.read_fd = signalfd(self._numbers)
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self.read_fd)
        signal.pthread_sigmask(signal.SIG_SETMASK, self._before)

    def take(self) -> Iterator[signal.Signals]:
        """Yield the signals that are for this process to pass on."""
        for number, code in read_signals(self.read_fd):
            if not (self.is_shared and code == SI_KERNEL):
                yield number


def ignored() -> tuple[int, ...]:
    """Return the signals that this process was started with ignored (nohup(1), a shell's `&`)."""
    own = (signal.SIGPIPE, signal.SIGXFSZ)  # the interpreter ignores those itself
    return tuple(
        int(number)
        for number in signal.valid_signals()
        if signal.getsignal(number) is signal.SIG_IGN and number not in own
    )
