"""The rest of a stage in a process of its own, from the first step that was not there already.

So stages are built side by side, and each runs its commands from a process with one thread. The
process is forked: it goes on where the caller is. It tells what happens over a channel, and ends
when it is told to (SIGTERM), or with the caller.
"""

import logging
import select
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import NoReturn, Protocol

from rootless.errors import RootlessError
from rootless.linux.channel import Channel, Message
from rootless.userns.create import Child, fork_into

_MOST_OUTPUT = 8192  # of one message; a channel's have 64 KiB at most, and JSON may write \\u00ff
_PATIENCE_S = 5.0
_POLL_S = 0.01


class Teller(Protocol):
    """Takes what a worker has to tell."""

    def __call__(self, message: Message) -> None:
        """Take one message."""
        ...


class Worker:
    """A process that builds, seen from the one that forked it.

    Args:
        work: What it does, given who is told.
    """

    def __init__(self, work: Callable[[Teller], None]) -> None:
        def body(channel: Channel) -> int:
            def tell(message: Message) -> None:
                _tell(channel, message)

            signal.signal(signal.SIGTERM, _stop)
            logging.getLogger().addHandler(_Warnings(tell))
            work(tell)
            return 0

        self._child: Child = fork_into(None, body)

    def fileno(self) -> int:
        """Return the descriptor to wait for."""
        return self._child.channel.fileno()

    def receive(self) -> Message | None:
        """Return the next message; None at a good end. Raises what went wrong there."""
        received = self._child.channel.receive()
        if received is not None:
            message = received[0]
            if "error" in message:
                self._child.wait()
                raise RootlessError.from_record(message["error"])
            return message
        status = self._child.wait()
        if status != 0:
            raise RootlessError("a process of the build was ended", f"status {status}")
        return None

    @staticmethod
    def stop(workers: "list[Worker]") -> None:
        """End them, each with the time to take down what it runs."""
        for each in workers:
            each.tell_to_stop()
        deadline = time.monotonic() + _PATIENCE_S
        for each in workers:
            each.end_by(deadline)

    def tell_to_stop(self) -> None:
        """Ask it to end."""
        if self._child.pidfd >= 0:
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._child.pidfd, signal.SIGTERM)

    def end_by(self, deadline: float) -> None:
        """Wait until it has ended; kill it at the deadline, a time of the monotonic clock."""
        while not self._child.is_reaped:
            for _ in self._said():
                pass  # one that waits for a reader would not end
            if self._child.is_reaped:
                return
            if time.monotonic() > deadline:
                self._child.kill()
                return
            time.sleep(_POLL_S)

    def _said(self) -> Iterator[Message]:
        while select.select([self._child.channel], [], [], 0)[0]:
            received = self._child.channel.receive()
            if received is None:
                self._child.wait()
                return
            yield received[0]


class _Warnings(logging.Handler):
    """Tells warnings as output of the step that is at work."""

    def __init__(self, tell: Teller) -> None:
        super().__init__(logging.WARNING)
        self._told = tell

    def emit(self, record: logging.LogRecord) -> None:
        """Tell one."""
        self._told({"output": f"warning: {record.getMessage()}\n".encode()})


def _tell(channel: Channel, message: Message) -> None:
    data = message.get("output")
    if not isinstance(data, bytes):
        _send(channel, message)
        return
    for start in range(0, len(data), _MOST_OUTPUT):
        text = data[start : start + _MOST_OUTPUT].decode("latin-1")  # each byte as it is
        _send(channel, {**message, "output": text})


def _send(channel: Channel, message: Message) -> None:
    if not channel.send(message):
        raise RootlessError("the build was ended")


def _stop(number: int, frame: object) -> NoReturn:
    del number, frame
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # one is enough: the clean-up goes to its end
    raise RootlessError("the build was stopped")
