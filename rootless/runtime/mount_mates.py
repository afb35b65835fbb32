"""Who shares a mount namespace: the processes of a container that has no PID namespace of its own.

Who came into the container from outside is nobody's descendant there; the namespace tells.
"""

import os
import signal
import time

from rootless.linux import pidfd, prctl
from rootless.runtime.descendants import open_own_proc

_PATIENCE_S = 5.0
_POLL_S = 0.02


class MountMates:
    """Those of the calling process, which ends them with itself.

    Attributes:
        visitor_fd: The workload, as a pidfd: one with another's IDs may not be looked at.
    """

    def __init__(self) -> None:
        self.visitor_fd = -1
        self._mounts_fd = os.open("/proc/self/ns/mnt", os.O_RDONLY | os.O_CLOEXEC)
        self._proc_fd = open_own_proc("/proc")

    def begin(self, visitor_fd: int) -> None:
        """Go on when the parent ends, now that there is somebody to be ended.

        That he is gone is learnt by the end of a channel.
        """
        self.visitor_fd = visitor_fd
        prctl.clear_parent_death_signal()

    def end(self) -> None:
        """Kill them all, and wait for their end."""
        if self.visitor_fd >= 0:
            pidfd.send_signal(self.visitor_fd, signal.SIGKILL)
        end_all(self._mounts_fd, self._proc_fd)


def end_all(mounts_fd: int, proc_fd: int) -> None:
    """Kill who is in a mount namespace, but the caller, until nobody is, or for some seconds.

    Args:
        mounts_fd: The namespace.
        proc_fd: /proc, of the caller's PID namespace.
    """
    deadline = time.monotonic() + _PATIENCE_S
    while _kill_all(mounts_fd, proc_fd) and time.monotonic() < deadline:
        time.sleep(_POLL_S)


def _kill_all(mounts_fd: int, proc_fd: int) -> bool:
    """Kill who is there; False where nobody is."""
    found = False
    own = str(os.getpid())
    for name in os.listdir(proc_fd):
        if name.isdigit() and name != own and _is_inside(name, mounts_fd, proc_fd):
            found = True
            _kill(name, mounts_fd, proc_fd)
    return found


def _kill(name: str, mounts_fd: int, proc_fd: int) -> None:
    try:
        fd = os.pidfd_open(int(name))
    except ProcessLookupError:
        return
    try:
        if _is_inside(name, mounts_fd, proc_fd):  # still: the ID may have got another one meanwhile
            pidfd.send_signal(fd, signal.SIGKILL)
    finally:
        os.close(fd)


def _is_inside(name: str, mounts_fd: int, proc_fd: int) -> bool:
    try:
        found = os.stat(f"{name}/ns/mnt", dir_fd=proc_fd)
    except OSError:  # ended, or nothing of ours
        return False
    return os.path.samestat(found, os.fstat(mounts_fd))
