"""A command as a job of the caller's shell, with what it started in his process group.

What the terminal sends reaches both from the kernel; when what was started stops, so does the
command, as the shell waits for that one (termios(3), credentials(7)). It imports next to nothing
(`holder`).
"""

import _signal  # type: ignore[import-not-found]
import os

from rootless.linux.signal_fd import SI_KERNEL, read_signals, signalfd

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_OWN = (13, 25)  # SIGPIPE and SIGXFSZ: the interpreter ignores those itself


class GroupSignals:
    """Signals that are to be passed on, for poll(2); a context manager.

    What the terminal sends goes to the group, so that the workload has it from there: it comes out
    of here only until `is_shared`. What somebody sends to this process is all that comes then.
    """

    def __init__(self, numbers: "Iterable[int]") -> None:
        self.is_shared = False
        self._numbers = [n for n in numbers if _signal.getsignal(n) is not _signal.SIG_IGN]
        self._before: set[int] = set()
        self.read_fd = -1

    def __enter__(self) -> "GroupSignals":  # noqa: PYI034 - Self would be typing's
        self._before = _signal.pthread_sigmask(_signal.SIG_BLOCK, self._numbers)
        self.read_fd = signalfd(self._numbers)
        return self

    def __exit__(self, *_: object) -> None:
        for _number in read_signals(self.read_fd):
            continue  # it came when the workload had ended, of which it is told already
        os.close(self.read_fd)
        _signal.pthread_sigmask(_signal.SIG_SETMASK, self._before)

    def take(self) -> "Iterator[int]":
        """Yield the signals that are for this process to pass on."""
        for number, code in read_signals(self.read_fd):
            if not (self.is_shared and code == SI_KERNEL):
                yield number


def ignored() -> tuple[int, ...]:
    """Return the signals that this process was started with ignored (nohup(1), a shell's `&`)."""
    return tuple(
        int(number)
        for number in _signal.valid_signals()
        if _signal.getsignal(number) is _signal.SIG_IGN and number not in _OWN
    )


def stop() -> None:
    """Stop this process, as the terminal's key would, until its shell continues it."""
    number = _signal.SIGTSTP
    before = _signal.signal(number, _signal.SIG_DFL)
    # One stop, also where the terminal's own signal still waits here unread.
    outer = _signal.pthread_sigmask(_signal.SIG_BLOCK, [number])
    os.kill(os.getpid(), number)
    _signal.pthread_sigmask(_signal.SIG_UNBLOCK, [number])
    _signal.pthread_sigmask(_signal.SIG_SETMASK, outer)
    _signal.signal(number, before)
