"""Where the time of a command goes: `rootless --timings run …`.

Marks are lines in a file of memory that forked processes have too. Without the option a mark is one
comparison.
"""

import os
import sys
import time

_fd = -1


def begin() -> None:
    """Take marks from now on."""
    global _fd  # noqa: PLW0603 - one command, one table
    if _fd < 0:
        _fd = os.memfd_create("timings")
        _write(time.monotonic_ns() - time.process_time_ns(), "")
        mark("Python has started (its CPU time)")


def adopt(fd: int) -> None:
    """Take marks for another process, into its file."""
    global _fd  # noqa: PLW0603 - as above
    _fd = fd


def fileno() -> int:
    """Return the file of the marks, -1 where none are taken."""
    return _fd


def mark(phase: str) -> None:
    """Note that a phase ends here."""
    if _fd >= 0:
        _write(time.monotonic_ns(), phase)


def _write(moment: int, phase: str) -> None:
    os.write(_fd, f"{moment} {phase}\n".encode())  # whole lines: the offset is shared by all


def report() -> None:
    """Print the phases that were marked, in the order of time, to standard error."""
    global _fd
    if _fd < 0:
        return
    fd, _fd = _fd, -1
    lines = os.pread(fd, 1 << 20, 0).decode().splitlines()
    os.close(fd)
    marks = sorted((int(moment), phase) for moment, _, phase in (x.partition(" ") for x in lines))
    first = before = marks[0][0]
    shown = ["   at ms   took ms"]
    for moment, phase in marks[1:]:
        shown.append(f"{(moment - first) / 1e6:8.1f}  {(moment - before) / 1e6:8.1f}  {phase}")
        before = moment
    sys.stderr.write("\n".join(shown) + "\n")
    sys.stderr.flush()
