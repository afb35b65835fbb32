"""One user namespace for the ranks of a job on a node, so that they may read each other's memory.

MPI copies between ranks by process_vm_readv(2), which the kernel lets processes of the same user do
within one user namespace only (ptrace(2), "Ptrace access mode checking"). The first rank makes it
and writes down who lives there; those that come while somebody still does join. All that is between
the look and the note happens under one lock, as ranks start at the same moment. The namespace ends
with the last who is in it: nobody keeps it.
"""

import contextlib
import fcntl
import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

from rootless.containers.run_folder import JOBS
from rootless.errors import StoreError
from rootless.linux.pidfd import start_time
from rootless.linux.private_folder import make_private
from rootless.paths import Paths
from rootless.userns.maps import Maps

_MOST_BYTES = 1 << 16
_MEMBERS = 64
"""How many are remembered: as long as one of them lives, the namespace is found."""


@dataclass(slots=True)
class JobNamespace:
    """The job's note, locked, and the namespace that it leads to.

    Attributes:
        user_fd: The user namespace to join; -1 where the caller is to make it.
    """

    user_fd: int
    _file_fd: int
    _members: list[str]

    @classmethod
    def open(cls, paths: Paths, job: str, maps: Maps) -> "JobNamespace":
        """Lock the note of a job and find its namespace; raises StoreError.

        Args:
            paths: Where things lie.
            job: What tells it from others of the user's; "" for what is no job.
            maps: The maps that are wanted; others have another namespace.
        """
        key = hashlib.sha256(f"{job}\0{maps.uid}\0{maps.gid}".encode()).hexdigest()[:32]
        folder = paths.runtime / JOBS
        try:
            make_private(paths.runtime)
            folder.mkdir(mode=0o700, exist_ok=True)
            fd = _locked(folder / key)
        except OSError as error:
            raise StoreError(
                f"cannot write down the job's namespace: {error.strerror}", str(error.filename)
            ) from error
        try:
            lines = os.pread(fd, _MOST_BYTES, 0).decode("ascii", "replace").splitlines()
            living = [line for line in lines if _lives(line)]
            return cls(_open_first(living), fd, living)
        except BaseException:
            os.close(fd)
            raise

    def note(self, pid: int) -> None:
        """Write down who lives in it now, and let the next one look."""
        started = start_time(pid)
        if started is not None:
            self._members = [*self._members, f"{pid} {started}"][-_MEMBERS:]
        data = "".join(f"{line}\n" for line in self._members).encode()
        os.ftruncate(self._file_fd, 0)
        os.pwrite(self._file_fd, data, 0)
        self.close()

    def close(self) -> None:
        """Give the lock back; harmless when repeated."""
        if self._file_fd >= 0:  # a forked process has a copy, by which it would stay locked
            fcntl.flock(self._file_fd, fcntl.LOCK_UN)
        for fd in (self._file_fd, self.user_fd):
            if fd >= 0:
                os.close(fd)
        self._file_fd = self.user_fd = -1


def sweep(folder: Path) -> None:
    """Remove the notes of jobs of which nobody lives here."""
    with contextlib.suppress(FileNotFoundError):
        for name in os.listdir(folder):
            _remove_dead(folder / name)


def _remove_dead(path: Path) -> None:
    with contextlib.suppress(OSError):  # somebody is looking, or has removed it
        fd = os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            lines = os.pread(fd, _MOST_BYTES, 0).decode("ascii", "replace").splitlines()
            if not any(map(_lives, lines)):
                os.unlink(path)
        finally:
            os.close(fd)


def _locked(path: Path) -> int:
    """Open and lock a note; one that was removed meanwhile is made again."""
    while True:
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX)
            with contextlib.suppress(FileNotFoundError):
                if os.path.samestat(os.fstat(fd), os.lstat(path)):
                    return fd
        except BaseException:
            os.close(fd)
            raise
        os.close(fd)


def _lives(line: str) -> bool:
    pid, _, started = line.partition(" ")
    if not (pid.isdecimal() and started.isdecimal()):
        return False
    return start_time(int(pid)) == int(started)


def _open_first(living: list[str]) -> int:
    """Return the namespace of the first that can be had, -1 for none."""
    for line in living:
        pid = int(line.split()[0])
        with contextlib.suppress(OSError):
            fd = os.open(f"/proc/{pid}/ns/user", os.O_RDONLY | os.O_CLOEXEC)
            # Opened first and looked at afterwards: the ID may have got another process meanwhile.
            if _lives(line) and not os.path.samestat(os.fstat(fd), os.stat("/proc/self/ns/user")):
                return fd
            os.close(fd)
    return -1
