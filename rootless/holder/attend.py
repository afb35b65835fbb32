"""What a client does while its workload runs: it passes signals and a terminal's bytes on.

A workload with the caller's terminal and in his process group has its signals from there, and stops
this process with it; one with a terminal of the container's has its bytes from here.
"""

import _signal  # type: ignore[import-not-found]
import marshal
import os
import select
import sys
from _socket import CMSG_LEN, MSG_CMSG_CLOEXEC

from rootless import timings
from rootless.errors import RootlessError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from _socket import socket
    from collections.abc import Iterable
    from typing import Any

    from rootless.linux.job import GroupSignals
    from rootless.linux.terminal import Terminal

    Message = dict[str, Any]

FORWARDED = (1, 2, 3, 10, 12, 14, 15, 18, 20, 28)  # as `foreground` has them
_ENDING = (1, 2, 3, 15)
_SIGKILL, _SIGPIPE, _SIGCHLD, _SIGSTOP, _SIGTSTP, _SIGWINCH = 9, 13, 17, 19, 20, 28

_MOST_BYTES = 250_000  # more than fits into a socket
_MOST_FDS = 16


def receive(door: "socket") -> "tuple[Message | None, list[int]]":
    """Return a message and its descriptors; None for the end."""
    wanted = (_MOST_BYTES, CMSG_LEN(4 * _MOST_FDS), MSG_CMSG_CLOEXEC)
    try:
        data, ancillary, _, _ = door.recvmsg(*wanted)
    except ConnectionResetError:  # told once, before what the keeper had sent (`to_the_last`)
        data, ancillary, _, _ = door.recvmsg(*wanted)
    fds = [
        int.from_bytes(payload[at : at + 4], sys.byteorder)
        for _, _, payload in ancillary
        for at in range(0, len(payload), 4)
    ]
    return (marshal.loads(data) if data else None), fds  # noqa: S302 - of our own holder


def signals_for(*, own_session: bool) -> "SignalPipe | GroupSignals":
    """Return the signals that come while a workload runs."""
    if own_session:
        return SignalPipe()
    from rootless.linux.job import GroupSignals  # noqa: PLC0415 - most have their own session

    _signal.signal(_SIGCHLD, _signal.SIG_DFL)  # one that ignored it would not be told
    return GroupSignals((*FORWARDED, _SIGCHLD))


class SignalPipe:
    """Signals that only come out of a pipe; the caller's own, if he ignored one, stays so."""

    def __init__(self) -> None:
        self.read_fd, self._write_fd = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)

    def __enter__(self) -> "SignalPipe":  # noqa: PYI034 - Self would be typing's
        # First: what came between a handler and the pipe would come out of neither.
        _signal.set_wakeup_fd(self._write_fd, warn_on_full_buffer=False)
        for number in (*FORWARDED, _SIGCHLD):
            if _signal.getsignal(number) != _signal.SIG_IGN or number == _SIGCHLD:
                _signal.signal(number, lambda *_: None)
        return self

    def __exit__(self, *_: object) -> None:
        _signal.set_wakeup_fd(-1)
        for number in (*FORWARDED, _SIGCHLD):
            if _signal.getsignal(number) != _signal.SIG_IGN:
                _signal.signal(number, _signal.SIG_DFL)
        _signal.signal(2, _signal.default_int_handler)

    def take(self) -> "Iterable[int]":
        """Return the numbers of those that have come."""
        try:
            return os.read(self.read_fd, 512)
        except BlockingIOError:
            return ()


class Attendance:
    """One workload, from its start to the container's end."""

    def __init__(
        self,
        door: "socket",
        workload: int,
        signals: "SignalPipe | GroupSignals",
        terminal: "Terminal | None",
    ) -> None:
        self._door = door
        self._workload = workload
        self._signals = signals
        self._terminal = terminal
        self._is_job = not isinstance(signals, SignalPipe)
        self._is_over = self._is_gone = False
        self._status: int | None = None
        self._instead: int | None = None
        self._error: Message | None = None

    def run(self) -> int:
        """Return its status, -N for signal N; raises RootlessError."""
        if not isinstance(self._signals, SignalPipe):
            self._take_signals()  # those from before there was anybody else in the group
            self._signals.is_shared = True
        try:
            while not (self._is_over and self._status is not None):
                self._serve()
            while self._instead is None and self._output_waits():
                self._serve()
        except BrokenPipeError:  # the reader of our output has gone
            self._end_for(128 + _SIGPIPE)
        finally:
            if self._terminal is not None:
                self._terminal.close()  # puts the caller's back
        if self._instead is not None:
            return self._instead
        if self._error is not None:
            raise RootlessError.from_record(self._error)
        if not self._is_gone:  # the next command removes what is left
            raise RootlessError("the run was cut off: its keeper was killed", "SIGKILL")
        return self._status if self._status is not None else 125

    def _end_for(self, status: int) -> None:
        """End the workload, as nobody sees what it says, and wait for that."""
        self._instead, terminal, self._terminal = status, self._terminal, None
        if terminal is not None:
            terminal.close()
        self._tell({"signal": _SIGKILL})
        while not (self._is_over and self._status is not None):
            self._serve()

    def _serve(self) -> None:
        poll = select.poll()
        poll.register(self._signals.read_fd, select.POLLIN)
        if not self._is_over:
            poll.register(self._door.fileno(), select.POLLIN)
        terminal = self._terminal
        for fd, events in terminal.interests().items() if terminal is not None else ():
            poll.register(fd, events)
        ready = dict(poll.poll())
        if ready.pop(self._door.fileno(), 0):
            self._on_message()
        has_signals = ready.pop(self._signals.read_fd, 0)
        for fd in ready:
            if terminal is not None:
                terminal.serve(fd)
        if has_signals:
            self._take_signals()

    def _on_message(self) -> None:
        message, _ = receive(self._door)
        if message is None or "gone" in message:
            self._is_over, self._is_gone = True, message is not None
            self._reap(0)
        elif "error" in message:
            self._error = message["error"]
        elif "stopped" in message:
            self._stop()
        elif "say" in message:
            end = b"\r\n" if self._terminal is not None else b"\n"
            os.write(2, message["say"].replace(b"\n", end))

    def _stop(self) -> None:
        """Stop until a shell's fg or bg; the workload has stopped by now."""
        if self._terminal is not None:
            self._terminal.suspend()
        os.kill(os.getpid(), _SIGSTOP)
        if self._terminal is not None:
            self._terminal.resume()

    def _output_waits(self) -> bool:
        """Move the ended container's output on; tell whether some waits for its reader."""
        return self._terminal is not None and self._terminal.drain()

    def _take_signals(self) -> None:
        for number in self._signals.take():
            if number == _SIGCHLD:
                self._reap(os.WNOHANG)
            elif number == _SIGWINCH:
                if self._terminal is not None:
                    self._terminal.fit()
            elif self._status is None:
                # The group of one with a session is an orphaned one: only SIGSTOP stops it.
                is_stop = number == _SIGTSTP and not self._is_job
                self._tell({"signal": _SIGSTOP if is_stop else number})
            elif number in _ENDING and self._is_over:  # only output waits, for its reader
                self._instead = 128 + number

    def _tell(self, message: "Message") -> None:
        try:
            self._door.send(marshal.dumps(message))
        except OSError:
            return  # its end is heard of elsewhere

    def _reap(self, options: int) -> None:
        """Take what is news of the workload; a job that has stopped stops this process."""
        is_stopped = False
        changes = os.WUNTRACED | os.WCONTINUED if self._is_job and options else 0
        while self._status is None:
            pid, status = os.waitpid(self._workload, options | changes)
            if pid == 0:
                break
            if os.WIFSTOPPED(status) or os.WIFCONTINUED(status):
                is_stopped = os.WIFSTOPPED(status)
                continue
            self._status = os.waitstatus_to_exitcode(status)
            timings.mark("client: workload ended")
            told = self._status if self._status >= 0 else 128 - self._status
            self._tell({"status": told, "pid": self._workload})
            return
        if is_stopped:
            from rootless.linux.job import stop  # noqa: PLC0415 - it is there already

            stop()
