"""A container that has no PID namespace of its own: its end takes nobody along.

Its init ends whom it has started (`rootless.runtime.descendants`). What is not below it, because an
`exec` brought it or because somebody killed init, is known by the container's mount namespace.
"""

import math
import os
import signal
import time
from dataclasses import replace

from rootless.linux import pidfd
from rootless.oci.linux_spec import Namespace
from rootless.oci.runtime_spec import Spec
from rootless.runtime import mount_mates

_PATIENCE_S = 5.0
_POLL_S = 0.02
_OWN = "/proc/self/ns/pid"


def with_pids(spec: Spec, fd: int) -> Spec:
    """Return the spec with the PID namespace of a descriptor, with this process's own for -1."""
    path = _OWN if fd < 0 else f"/proc/self/fd/{fd}"
    others = tuple(each for each in spec.linux.namespaces if each.type != "pid")
    namespaces = (*others, Namespace("pid", path))
    return replace(spec, linux=replace(spec.linux, namespaces=namespaces))


class SharedPids:
    """The processes of such a container, as its supervisor has them to end.

    Args:
        init: The container's first process, a child of this one.
        init_fd: The same as a pidfd.
    """

    def __init__(self, init: int, init_fd: int) -> None:
        self._init = init
        self._init_fd = init_fd
        self._mounts_fd = -1
        self._give_up_at = math.inf

    def learn(self, mounts_fd: int) -> None:
        """Take its mount namespace."""
        self._mounts_fd = mounts_fd

    def patience_ms(self) -> int | None:
        """Return after how long to be served; None for never."""
        if self._mounts_fd < 0:
            return int(_POLL_S * 1000)
        if self._give_up_at == math.inf:
            return None
        return max(0, int((self._give_up_at - time.monotonic()) * 1000) + 1)

    def serve(self) -> None:
        """Learn the mount namespace once there is one; end an init that takes too long to end."""
        if self._mounts_fd < 0:
            self._mounts_fd = _open_mounts_of_workload(self._init)
        if time.monotonic() > self._give_up_at:
            self._give_up_at = math.inf
            pidfd.send_signal(self._init_fd, signal.SIGKILL)

    def wind_up(self) -> None:
        """Have init end: who runs the container is gone, which init is being told as well."""
        self._give_up_at = time.monotonic() + _PATIENCE_S

    def end(self) -> None:
        """End what is left in the container's mount namespace, once init has ended."""
        if self._mounts_fd < 0:
            return
        proc_fd = os.open("/proc", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        mount_mates.end_all(self._mounts_fd, proc_fd)
        os.close(proc_fd)
        os.close(self._mounts_fd)
        self._mounts_fd = -1


def _open_mounts_of_workload(init: int) -> int:
    """Return the mount namespace of an init's first child; -1 where its program does not run yet.

    That of init itself is not to be had: it may not be looked at, and was no program of its own.
    """
    try:
        with open(f"/proc/{init}/task/{init}/children", encoding="ascii") as file:
            words = file.read().split()
        return os.open(f"/proc/{words[0]}/ns/mnt", os.O_RDONLY | os.O_CLOEXEC) if words else -1
    except OSError:
        return -1
