"""PID 1 of the container once the workload runs: reap, forward signals, end with the workload.

When PID 1 ends the kernel kills every process that is left in its namespace (pid_namespaces(7)),
so there is nothing to clean up here: ending is the clean-up. In a namespace of others it is not
PID 1, and ends its descendants itself.
"""

import contextlib
import math
import os
import select
import signal
import time

from rootless.linux.channel import Channel
from rootless.runtime.descendants import Descendants
from rootless.runtime.mount_mates import MountMates
from rootless.runtime.signals import FORWARDED

# What a process outside may send to PID 1 to mean the workload.
_FORWARDED = (*FORWARDED, signal.SIGWINCH, signal.SIGCONT)

# How long one signal to many processes is on its way.
_SAME_S = 1.0
_SOON_S = 0.005


class SignalPipe:
    """Signals as bytes on a pipe (the self-pipe trick): poll(2) can wait for them.

    Args:
        in_group: The workload is in the process group of this process, and has them itself.
    """

    def __init__(self, *, in_group: bool = False) -> None:
        self.read_fd, self._write_fd = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.set_wakeup_fd(self._write_fd, warn_on_full_buffer=False)
        if in_group:
            for number in (*_FORWARDED, signal.SIGALRM, signal.SIGTSTP, signal.SIGTTOU):
                signal.signal(number, signal.SIG_IGN)
        for number in (*(() if in_group else _FORWARDED), signal.SIGCHLD):
            signal.signal(number, lambda _number, _frame: None)

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
    descendants: Descendants | MountMates | None,
    visitor_fd: int = -1,
    *,
    in_group: bool = False,
) -> int:
    """Run until the workload ends; return its status, 128+N for signal N, which is told as well.

    `control` brings `{"signal": N}` from the runner outside; a stop is answered. Its end means that
    the runner is gone, and then nobody may be left running: neither is of the `descendants`.
    A workload that leads no group of its own, `in_group`, has a signal alone, and is told whenever
    it stops, by whatever, where it is a child.
    A workload that came in from outside is waited for by its pidfd, `visitor_fd`; its parent has
    its status, and the one that is returned means nothing.
    """
    watch = _Watch(
        workload,
        control,
        signals,
        among_others=descendants is not None,
        in_group=in_group,
        visitor_fd=visitor_fd,
    )
    try:
        code = watch.run()
    finally:
        if descendants is not None:
            descendants.end()
    if code >= 0:
        return code
    control.send({"killed_by": -code})
    return 128 - code


class _Watch:
    """What happens to a workload until it ends.

    Among the processes of others nobody means the workload by a signal to this process, but a batch
    system sends one to every process of a job. The workload has it then, and is not told again.
    """

    def __init__(
        self,
        workload: int,
        control: Channel,
        signals: SignalPipe,
        *,
        among_others: bool,
        in_group: bool,
        visitor_fd: int,
    ) -> None:
        self._workload = workload
        self._control = control
        self._signals = signals
        self._among_others = among_others
        self._in_group = in_group
        self._visitor_fd = visitor_fd
        self._had: dict[int, float] = {}

    def run(self) -> int:
        """Serve until it has ended; return its status, -N for signal N."""
        poll = select.poll()
        poll.register(self._signals.read_fd, select.POLLIN)
        poll.register(self._control.fileno(), select.POLLIN)
        if self._visitor_fd >= 0:
            poll.register(self._visitor_fd, select.POLLIN)
        stops = self._control if self._in_group else None
        while True:
            code = _reap(self._workload, stops, has_child=self._visitor_fd < 0)
            if code is not None:
                return code
            for fd, _ in poll.poll():
                if fd == self._visitor_fd:
                    return 0
                if fd == self._signals.read_fd:
                    self._take_signals()
                elif not self._obey():
                    return -signal.SIGKILL

    def _take_signals(self) -> None:
        for number in self._signals.take():
            if self._among_others:
                self._had[number] = time.monotonic()
            elif number != signal.SIGCHLD:
                self._forward(number)

    def _obey(self) -> bool:
        """Carry out one message; False where the runner is gone."""
        received = self._control.receive()
        if received is None:
            return False
        number = received[0].get("signal")
        if not isinstance(number, int):
            return True
        if self._in_group:
            self._forward(number)
            return True
        if not (self._among_others and self._was_for_all(number)):
            forward(self._workload, number)
        if number == signal.SIGSTOP:
            self._control.send({"stopped": True})
        return True

    def _forward(self, number: int) -> None:
        if self._in_group:  # which is not the workload's own
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(self._workload, number)
        else:
            forward(self._workload, number)

    def _was_for_all(self, number: int) -> bool:
        """Tell whether this process has had the signal too, or is just about to have it."""
        if number not in _FORWARDED:
            return False
        poll = select.poll()
        poll.register(self._signals.read_fd, select.POLLIN)
        since, until = time.monotonic() - _SAME_S, time.monotonic() + _SOON_S
        while self._had.get(number, -math.inf) < since:
            left = until - time.monotonic()
            if left <= 0:
                return False
            poll.poll(left * 1000)
            self._take_signals()
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


def _reap(workload: int, stops: Channel | None, *, has_child: bool) -> int | None:
    """Reap every child that has ended; return the workload's status if it is among them.

    It is -N for signal N. `stops` is told of the workload's stops.
    """
    options = os.WNOHANG if stops is None else os.WNOHANG | os.WUNTRACED
    while True:
        try:
            pid, status = os.waitpid(-1, options)
        except ChildProcessError:
            if not has_child:
                return None
            return -signal.SIGKILL  # cannot happen while the workload is unreaped
        if pid == 0:
            return None
        if os.WIFSTOPPED(status):
            if pid == workload and stops is not None:
                stops.send({"stopped": True})
        elif pid == workload:
            return os.waitstatus_to_exitcode(status)
