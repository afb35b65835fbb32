"""Signals as bytes on a pipe, so that poll(2) waits for them (the self-pipe trick)."""

import contextlib
import os
import signal
from collections.abc import Iterable, Iterator
from typing import Self


class SignalPipe:
    """A context manager: within it these signals only come out of the pipe."""

    def __init__(self, numbers: Iterable[signal.Signals]) -> None:
        self.read_fd, self._write_fd = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._numbers = tuple(numbers)
        self._before: dict[signal.Signals, object] = {}

    def __enter__(self) -> Self:
        # First: what came between a handler and the pipe would come out of neither.
        signal.set_wakeup_fd(self._write_fd, warn_on_full_buffer=False)
        for number in self._numbers:
            if signal.getsignal(number) is not signal.SIG_IGN:  # nohup(1) stays in force
                self._before[number] = signal.signal(number, lambda _number, _frame: None)
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
