"""A process named so that a reused process ID is never taken for it (pidfd_open(2), proc(5)).

A process ID and the time at which its process started are one process only; a pidfd opened by the
ID and compared by the time refers to it for good.
"""

import contextlib
import os
import select
import signal

_STATE, _STARTTIME = 3, 22  # fields of /proc/PID/stat, counted from 1


def start_time(pid: int) -> int | None:
    """Return when a process started, in clock ticks since boot; None where it has ended.

    One that nobody has waited for yet has ended, too.
    """
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            text = file.read()
    except (FileNotFoundError, ProcessLookupError):
        return None
    fields = text[text.rindex(b")") + 2 :].split()  # the name before it may hold anything
    if fields[_STATE - 3] in (b"Z", b"X"):
        return None
    return int(fields[_STARTTIME - 3])


def open_process(pid: int, started: int) -> int | None:
    """Return a pidfd of the process with this ID and start time; None where it has ended."""
    try:
        fd = os.pidfd_open(pid)
    except ProcessLookupError:
        return None
    if start_time(pid) == started:
        return fd
    os.close(fd)
    return None


def send_signal(pidfd: int, number: int) -> bool:
    """Send a signal; False where the process has ended."""
    try:
        signal.pidfd_send_signal(pidfd, number)
    except ProcessLookupError:
        return False
    return True


def wait_end(pidfd: int, timeout: float | None = None) -> bool:
    """Wait until the process has ended; False where `timeout` seconds did not suffice."""
    poll = select.poll()
    poll.register(pidfd, select.POLLIN)
    return bool(poll.poll(None if timeout is None else timeout * 1000))


def kill_and_wait(pidfd: int, timeout: float) -> bool:
    """Send SIGKILL and wait; False where the process still is there."""
    with contextlib.suppress(ProcessLookupError):
        signal.pidfd_send_signal(pidfd, signal.SIGKILL)
    return wait_end(pidfd, timeout)
