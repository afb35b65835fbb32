"""PID 1 of the container once the workload runs: reap, forward signals, end with the workload.

When PID 1 ends the kernel kills every process that is left in its namespace (pid_namespaces(7)),
so there is nothing to clean up here: ending is the clean-up. In a namespace of others it is not
PID 1, and ends its descendants itself.
"""

import contextlib
import os
import select
import signal

from rootless.linux.channel import Channel
from rootless.runtime.descendants import Descendants
from rootless.runtime.signals import FORWARDED

# What a process outside may send to PID 1 to mean the workload.
_FORWARDED = (*FORWARDED, signal.SIGWINCH, signal.SIGCONT)


class SignalPipe:
    """Signals as bytes on a pipe (the self-pipe trick): poll(2) can wait for them."""

    def __init__(self) -> None:
        self.read_fd, self._write_fd = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        for number in (*_FORWARDED, signal.SIGCHLD):
            signal.signal(number, lambda _number, _frame: None)
        signal.set_wakeup_fd(self._write_fd, warn_on_full_buffer=False)

    def fds(self) -> tuple[int, int]:
        """Return both descriptors, which must stay open."""
        return self.read_fd, self._write_fd

    def take(self) -> bytes:
        """Return the numbers of the signals that have come."""
        with contextlib.suppress(BlockingIOError):
            return os.read(self.read_fd, 512)
        return b""


def supervise(
    workload: int,
    control: Channel,
    signals: SignalPipe,
    descendants: Descendants | None,
    visitor_fd: int = -1,
) -> int:
    """Run until the workload ends; return its status, 128+N for signal N.

    `control` brings `{"signal": N}` from the runner outside; a stop is answered. Its end means that
    the runner is gone, and then nobody may be left running: neither is of the `descendants`.
    A workload that came in from outside is waited for by its pidfd, `visitor_fd`; its parent has
    its status, and the one that is returned means nothing.
    """
    try:
        return _watch(workload, control, signals, visitor_fd)
    finally:
        if descendants is not None:
            descendants.end()


def _watch(workload: int, control: Channel, signals: SignalPipe, visitor_fd: int) -> int:
    poll = select.poll()
    poll.register(signals.read_fd, select.POLLIN)
    poll.register(control.fileno(), select.POLLIN)
    if visitor_fd >= 0:
        poll.register(visitor_fd, select.POLLIN)
    while True:
        status = _reap(workload, has_child=visitor_fd < 0)
        if status is not None:
            return status
        for fd, _ in poll.poll():
            if fd == visitor_fd:
                return 0
            if fd == signals.read_fd:
                for number in signals.take():
                    if number != signal.SIGCHLD:
                        forward(workload, number)
            elif not _obey(workload, control):
                return 128 + signal.SIGKILL


def _obey(workload: int, control: Channel) -> bool:
    """Carry out one message; False where the runner is gone."""
    received = control.receive()
    if received is None:
        return False
    number = received[0].get("signal")
    if isinstance(number, int):
        forward(workload, number)
    if number == signal.SIGSTOP:
        control.send({"stopped": True})
    return True


def forward(workload: int, number: int) -> None:
    """Send a signal to the workload; a stop or a terminal's signal to its whole group.

    A terminal would have sent those to the group: the workload has a session of its own.
    """
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if number in (signal.SIGINT, signal.SIGQUIT, signal.SIGTSTP, signal.SIGCONT):
            os.killpg(workload, number)
        elif number == signal.SIGSTOP:
            os.killpg(workload, signal.SIGSTOP)
        else:
            os.kill(workload, number)


def _reap(workload: int, *, has_child: bool) -> int | None:
    """Reap every child that has ended; return the workload's status if it is among them."""
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            if not has_child:
                return None
            return 128 + signal.SIGKILL  # cannot happen while the workload is unreaped
        if pid == 0:
            return None
        if pid == workload:
            code = os.waitstatus_to_exitcode(status)
            return code if code >= 0 else 128 - code
