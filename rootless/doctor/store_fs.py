"""Checks `store`, `scratch` and `runtime-folder`: the file systems that rootless writes to.

The store needs little: room, rename, flock. The scratch folder holds upperdirs and should keep user
xattrs. A folder that is not there yet is judged by the nearest one above it that is, and nothing is
left behind.
"""

import errno
import fcntl
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

from rootless.doctor.check import Check, State
from rootless.linux.statfs import FileSystem, statfs

_LITTLE_BYTES = 1 << 30
_LITTLE_INODES = 1000


@dataclass(frozen=True, slots=True)
class FolderFacts:
    """What was found.

    Attributes:
        path: The folder in question.
        existing: It, or the nearest folder above it that exists.
        file_system: What holds it.
        write_errno: Why no file can be made there; 0 where one can.
        flock_errno: Why flock(2) fails; 0 where it works or no file could be made.
        user_xattrs: A file there can have user xattrs.
    """

    path: Path
    existing: Path
    file_system: FileSystem
    write_errno: int = 0
    flock_errno: int = 0
    user_xattrs: bool = True

    @property
    def seen(self) -> str:
        """Where it is and what is free."""
        free = self.file_system.free_bytes / (1 << 30)
        return f"{self.path} on {self.file_system.type_name}, {free:.1f} GiB free"


def gather(path: Path) -> FolderFacts:
    """Make a file there, lock it, give it an xattr, remove it."""
    existing = nearest_existing(path)
    file_system = statfs(existing)
    try:
        file = tempfile.NamedTemporaryFile(dir=existing, prefix=".tmp-doctor-")  # noqa: SIM115 - two ways out
    except OSError as error:
        return FolderFacts(path, existing, file_system, write_errno=error.errno or errno.EIO)
    with file:
        flock_errno = 0
        try:
            fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            flock_errno = error.errno or errno.EIO
        try:
            os.setxattr(file.fileno(), "user.rootless.probe", b"1")
            xattrs = True
        except OSError:
            xattrs = False
    return FolderFacts(path, existing, file_system, 0, flock_errno, xattrs)


def nearest_existing(path: Path) -> Path:
    """Return the path, or the nearest of its parents that is a folder."""
    return next(p for p in (path, *path.parents) if p.is_dir())


def check_store(facts: FolderFacts) -> Check:
    """Judge the store's folder."""
    name, fix = "store", "name another folder with $ROOTLESS_HOME"
    if facts.write_errno:
        return Check(name, State.FAILED, facts.seen, _not_writable(facts), fix)
    if facts.flock_errno:
        return Check(
            name,
            State.FAILED,
            facts.seen,
            f"file locks do not work there: {os.strerror(facts.flock_errno)}",
            f"{fix}, or have it mounted with locks (Lustre: -o flock; NFS: without nolock)",
        )
    return _room(name, facts, fix)


def check_scratch(facts: FolderFacts) -> Check:
    """Judge the folder for upperdirs."""
    name, fix = "scratch", "name a folder on a local disk with $ROOTLESS_SCRATCH"
    if facts.write_errno:
        return Check(name, State.FAILED, facts.seen, _not_writable(facts), fix)
    if not facts.user_xattrs:
        return Check(
            name,
            State.WARNING,
            facts.seen,
            f"{facts.file_system.type_name} keeps no user xattrs there: what containers write "
            "goes into memory",
            fix,
        )
    return _room(name, facts, fix)


def check_runtime(facts: FolderFacts) -> Check:
    """Judge the folder for what lives."""
    name, fix = "runtime-folder", "set $XDG_RUNTIME_DIR, or $TMPDIR, to a folder on this machine"
    if facts.write_errno:
        return Check(name, State.FAILED, facts.seen, _not_writable(facts), fix)
    if facts.file_system.is_network:
        return Check(
            name,
            State.WARNING,
            facts.seen,
            "other machines share it, and containers live on one",
            fix,
        )
    return Check(name, State.OK, facts.seen)


def _not_writable(facts: FolderFacts) -> str:
    where = facts.existing
    if facts.file_system.read_only:
        return f"{where} is mounted read-only"
    if facts.write_errno == errno.EDQUOT:
        return f"your quota for {where} is used up"
    return f"no file can be made in {where}: {os.strerror(facts.write_errno)}"


def _room(name: str, facts: FolderFacts, fix: str) -> Check:
    if facts.file_system.free_bytes < _LITTLE_BYTES:
        return Check(name, State.WARNING, facts.seen, "less than 1 GiB is free", fix)
    if 0 <= facts.file_system.free_inodes < _LITTLE_INODES:
        cause = f"only {facts.file_system.free_inodes} files more can be made"
        return Check(name, State.WARNING, facts.seen, cause, fix)
    return Check(name, State.OK, facts.seen)
