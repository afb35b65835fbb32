"""One cgroup of a container, in the kernel's v2 tree (cgroup-v2.rst): its processes as a whole."""

import contextlib
import errno
import os
import select
import signal
import time
from collections.abc import Iterator
from pathlib import Path

from rootless.errors import NotFound, RootlessError
from rootless.runtime.cgroup_statistics import CgroupStatistics, read_statistics
from rootless.runtime.cgroup_tree import pids_of

_FREEZE_SECONDS = 10.0
_REMOVE_SECONDS = 5.0
_ROUNDS = 100


class Cgroup:
    """A cgroup by its path, which is what a state file keeps.

    Args:
        path: Its directory.
        held_fd: A pipe at which the cgroup's first process waits until the container's own has
            come (see `systemd_scope`); -1 where it needs none.
    """

    def __init__(self, path: Path, held_fd: int = -1) -> None:
        self.path = path
        self._held_fd = held_fd
        self._procs_fd = -1

    def add(self, pid: int) -> None:
        """Move a process in; its children come into being here. Raises RootlessError."""
        fd = self.procs_fd()
        try:
            os.write(fd, str(pid).encode())
            if self._held_fd >= 0:  # which forks may have inherited: the end might not come
                os.write(self._held_fd, b"\n")
        except OSError as error:
            raise _failed("cannot move the process into its cgroup", self.path, error) from error
        finally:
            self.close()

    def procs_fd(self) -> int:
        """Return a descriptor of cgroup.procs; a process that inherits it joins by writing `0`.

        The kernel asks whether the one who opened it may move processes, not the one who writes:
        so a process can still join from inside a new user namespace. `close` closes it.
        """
        if self._procs_fd < 0:
            try:
                self._procs_fd = os.open(self.path / "cgroup.procs", os.O_WRONLY | os.O_CLOEXEC)
            except OSError as error:
                raise _failed("cannot open the cgroup", self.path, error) from error
        return self._procs_fd

    def close(self) -> None:
        """Close the descriptors: each process that has inherited them does so when it may."""
        for fd in (self._procs_fd, self._held_fd):
            if fd >= 0:
                os.close(fd)
        self._procs_fd = self._held_fd = -1

    def pids(self) -> tuple[int, ...]:
        """Return the processes in it and below it."""
        return tuple(sorted({pid for folder in self._tree() for pid in pids_of(folder)}))

    def kill(self) -> None:
        """Kill every process in it and below it; one that forks meanwhile does not get away."""
        try:
            self._write("cgroup.kill", "1")
        except FileNotFoundError:
            if self.path.exists():  # Linux before 5.14
                self._kill_one_by_one()

    def _kill_one_by_one(self) -> None:
        """Kill a frozen tree: nothing in it can fork; each by pidfd, if it still is in there."""
        with contextlib.suppress(OSError, RootlessError):
            self.freeze()
        for _ in range(_ROUNDS):
            pids = self.pids()
            if not pids:
                break
            for pid in pids:
                self._kill_member(pid)
            with contextlib.suppress(OSError):
                self._write("cgroup.freeze", "0")  # a killed process ends only when it is thawed
            time.sleep(0.01)

    def _kill_member(self, pid: int) -> None:
        with contextlib.suppress(ProcessLookupError):
            pidfd = os.pidfd_open(pid)
            try:
                if pid in self.pids():  # else the number is another's by now
                    signal.pidfd_send_signal(pidfd, signal.SIGKILL)
            finally:
                os.close(pidfd)

    def freeze(self) -> None:
        """Stop every process in it and below it, and wait until they have; raises RootlessError."""
        self._set_frozen("1")
        if not self._wait_for_event("frozen 1", _FREEZE_SECONDS):
            self._set_frozen("0")
            raise RootlessError(
                "the cgroup does not freeze", str(self.path), "a process of it waits in the kernel"
            )

    def thaw(self) -> None:
        """Let them go on; raises RootlessError."""
        self._set_frozen("0")
        self._wait_for_event("frozen 0", _FREEZE_SECONDS)

    def is_frozen(self) -> bool:
        """Tell whether all of it is frozen."""
        return "frozen 1" in self._events()

    def remove(self) -> None:
        """Remove it and what is below it; processes that are just ending are waited for.

        Raises RootlessError where some do not end.
        """
        self.close()
        deadline = time.monotonic() + _REMOVE_SECONDS
        for folder in self._tree():
            while True:
                try:
                    folder.rmdir()
                except FileNotFoundError:
                    break
                except OSError as error:
                    if error.errno != errno.EBUSY or time.monotonic() > deadline:
                        raise _failed("cannot remove the cgroup", folder, error) from error
                    time.sleep(0.01)
                else:
                    break

    def statistics(self) -> CgroupStatistics:
        """Read what it has used."""
        return read_statistics(self.path)

    def _tree(self) -> Iterator[Path]:
        """Yield the cgroups below, the deepest first, and this one."""
        for folder, _, _ in os.walk(self.path, topdown=False):
            yield Path(folder)

    def _set_frozen(self, value: str) -> None:
        try:
            self._write("cgroup.freeze", value)
        except OSError as error:
            raise _failed("cannot freeze or thaw the cgroup", self.path, error) from error

    def _wait_for_event(self, line: str, seconds: float) -> bool:
        """Wait for a line of cgroup.events; the kernel tells of changes by POLLPRI."""
        deadline = time.monotonic() + seconds
        with open(self.path / "cgroup.events", encoding="utf-8") as file:
            poll = select.poll()
            poll.register(file, select.POLLPRI)
            while True:
                file.seek(0)
                if line in file.read().splitlines():
                    return True
                left = deadline - time.monotonic()
                if left <= 0:
                    return False
                poll.poll(left * 1000)

    def _events(self) -> list[str]:
        try:
            return (self.path / "cgroup.events").read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            return []

    def _write(self, name: str, value: str) -> None:
        fd = os.open(self.path / name, os.O_WRONLY | os.O_CLOEXEC)
        try:
            os.write(fd, value.encode())
        finally:
            os.close(fd)


def join(procs_fd: int) -> None:
    """Move this process into the cgroup whose `procs_fd` it has inherited; -1 is none."""
    if procs_fd >= 0:
        os.write(procs_fd, b"0")


def _failed(what: str, path: Path, error: OSError) -> RootlessError:
    if isinstance(error, FileNotFoundError):
        return NotFound("the container's cgroup is not there", str(path))
    return RootlessError(f"{what}: {error.strerror}", str(path))
