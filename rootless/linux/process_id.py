"""A process by its ID and its start, which together mean one process until the next boot.

IDs are used again; a pidfd (pidfd_open(2)) is not. So an ID that was written down is opened first,
and then looked at: who has started at another time is somebody else, and is left alone.
"""

import contextlib
import os
import signal
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ProcessId:
    """A process as this PID namespace names it.

    Attributes:
        pid: Its ID.
        started: Clock ticks after boot, field 22 of /proc/PID/stat (proc(5)).
    """

    pid: int
    started: int


def identify(pid: int) -> ProcessId:
    """Return who has an ID now; raises ProcessLookupError."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            after_name = file.read().rpartition(b")")[2]
    except FileNotFoundError:
        raise ProcessLookupError(pid) from None
    return ProcessId(pid, int(after_name.split()[19]))


def open_process(process: ProcessId) -> int | None:
    """Return a pidfd of a process, None where it has ended and been waited for."""
    try:
        pidfd = os.pidfd_open(process.pid)
    except ProcessLookupError:
        return None
    with contextlib.suppress(ProcessLookupError):
        if identify(process.pid) == process:
            return pidfd
    os.close(pidfd)
    return None


def send_signal(process: ProcessId, number: int) -> bool:
    """Signal a process; False where it is gone. Raises PermissionError."""
    pidfd = open_process(process)
    if pidfd is None:
        return False
    try:
        signal.pidfd_send_signal(pidfd, number)
    except ProcessLookupError:
        return False
    finally:
        os.close(pidfd)
    return True
