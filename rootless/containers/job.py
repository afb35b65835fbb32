"""A workload as a job of the caller's shell, in his process group and with his terminal.

What the terminal sends reaches it from the kernel; when it stops, the command line does, as the
shell waits for that one (termios(3), credentials(7)).
"""

import os
import signal
from collections.abc import Iterable, Iterator
from typing import Self

from rootless.containers.processes import stat_fields
from rootless.linux.process_id import ProcessId
from rootless.linux.signal_fd import SI_KERNEL, read_signals, signalfd

_STOPPED = (b"T", b"t")


class GroupSignals:
    """Signals that are to be passed on, for poll(2); a context manager.

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
        for _number in read_signals(self.read_fd):
            continue  # it came when the workload had ended, of which it is told already
        os.close(self.read_fd)
        signal.pthread_sigmask(signal.SIG_SETMASK, self._before)

    def take(self) -> Iterator[signal.Signals]:
        """Yield the signals that are for this process to pass on."""
        for number, code in read_signals(self.read_fd):
            if not (self.is_shared and code == SI_KERNEL):
                yield number

    def stop_with(self, workload: ProcessId | None) -> None:
        """Stop with a workload that has stopped."""
        stop_as_job(workload)


def ignored() -> tuple[int, ...]:
    """Return the signals that this process was started with ignored (nohup(1), a shell's `&`)."""
    own = (signal.SIGPIPE, signal.SIGXFSZ)  # the interpreter ignores those itself
    return tuple(
        int(number)
        for number in signal.valid_signals()
        if signal.getsignal(number) is signal.SIG_IGN and number not in own
    )


def stop_as_job(workload: ProcessId | None) -> None:
    """Stop this process, as the terminal's key would, until its shell continues it.

    Not where the workload goes on already: the shell has continued both, and would not again.
    """
    if workload is None or not _is_stopped(workload.pid):
        return
    before = signal.signal(signal.SIGTSTP, signal.SIG_DFL)
    # One stop, also where the terminal's own signal still waits here unread.
    outer = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTSTP])
    os.kill(os.getpid(), signal.SIGTSTP)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGTSTP])
    signal.pthread_sigmask(signal.SIG_SETMASK, outer)
    signal.signal(signal.SIGTSTP, before)


def _is_stopped(pid: int) -> bool:
    try:
        return stat_fields(pid)[0] in _STOPPED
    except (FileNotFoundError, ProcessLookupError):
        return False
