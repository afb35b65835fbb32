"""Joining the namespaces of a container's process (setns(2), namespaces(7)).

They are opened first and joined afterwards, in between the process is looked at once more: so they
are that process's, whatever happens to its ID.
"""

import contextlib
import os
from collections.abc import Iterator

from rootless.errors import Conflict
from rootless.linux import namespaces
from rootless.linux.pidfd import start_time

# The user namespace gives the right to join the others; with the mount namespace /proc changes.
_ORDER = (
    ("user", namespaces.CLONE_NEWUSER),
    ("cgroup", namespaces.CLONE_NEWCGROUP),
    ("ipc", namespaces.CLONE_NEWIPC),
    ("uts", namespaces.CLONE_NEWUTS),
    ("net", namespaces.CLONE_NEWNET),
    ("pid_for_children", namespaces.CLONE_NEWPID),
    ("time_for_children", namespaces.CLONE_NEWTIME),
    ("mnt", namespaces.CLONE_NEWNS),
)
_OWN_NAMES = {"pid_for_children": "pid", "time_for_children": "time"}


@contextlib.contextmanager
def open_namespaces(pid: int, started: int) -> Iterator[list[tuple[int, int]]]:
    """Give the descriptor and clone flag of each namespace in which a process differs from us.

    Raises Conflict where the process has ended or is not to be joined by the caller.
    """
    with contextlib.ExitStack() as stack:
        found = []
        try:
            for name, flag in _ORDER:
                fd = _open(f"/proc/{pid}/ns/{_OWN_NAMES.get(name, name)}", stack)
                own = _open(f"/proc/self/ns/{name}", stack)
                if fd >= 0 and not os.path.samestat(os.fstat(fd), os.fstat(own)):
                    found.append((fd, flag))
        except PermissionError as error:
            raise Conflict("the container's process may not be joined", str(pid)) from error
        except (FileNotFoundError, ProcessLookupError) as error:
            raise Conflict("the container's process has ended", str(pid)) from error
        if start_time(pid) != started:
            raise Conflict("the container's process has ended", str(pid))
        yield found


def join(found: list[tuple[int, int]]) -> None:
    """Join them; the PID and time namespaces are those of the children from now on."""
    for fd, flag in found:
        namespaces.setns(fd, flag)


def _open(path: str, stack: contextlib.ExitStack) -> int:
    """Open a namespace; -1 for a kind that this kernel lacks."""
    if not os.path.lexists(f"/proc/self/ns/{os.path.basename(path)}"):
        return -1
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    stack.callback(os.close, fd)
    return fd
