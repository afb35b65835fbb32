"""A process by its ID and its start, to be written down: together they mean one process only."""

import os
from dataclasses import dataclass

from rootless.linux import pidfd


@dataclass(frozen=True, slots=True)
class ProcessId:
    """A process as this PID namespace names it.

    Attributes:
        pid: Its ID.
        started: Clock ticks after boot.
    """

    pid: int
    started: int

    def send_signal(self, number: int) -> bool:
        """Signal the process; False where it has ended. Raises PermissionError."""
        fd = pidfd.open_process(self.pid, self.started)
        if fd is None:
            return False
        try:
            return pidfd.send_signal(fd, number)
        finally:
            os.close(fd)


def identify(pid: int) -> ProcessId | None:
    """Return who has an ID now; None where nobody has."""
    started = pidfd.start_time(pid)
    return None if started is None else ProcessId(pid, started)


def own_id() -> ProcessId:
    """Return the caller's."""
    found = identify(os.getpid())
    assert found is not None  # noqa: S101 - it runs
    return found


def pid_of(pidfd_: int) -> int:
    """Return the ID of a pidfd's process in this PID namespace, -1 where it has ended (proc(5))."""
    with open(f"/proc/self/fdinfo/{pidfd_}", encoding="ascii") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("Pid:"))
