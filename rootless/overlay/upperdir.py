"""Where the writable layer of a run lies, and how two runs are kept from sharing one.

An upperdir must be on a file system that keeps user xattrs (the `userxattr` format needs them)
and IDs of the caller's ranges; a home on NFS or Lustre often does neither. So the first fitting
folder of several is taken, and a tmpfs that lives and dies with the run where there is none.
"""

import errno
import fcntl
import logging
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from fuse.whiteout import DOT_FORM_NOTE
from rootless.errors import Conflict, StoreError
from rootless.linux.folder_lock import make_locked

log = logging.getLogger(__name__)

_PROBE_XATTR = "user.rootless.probe"


@dataclass(slots=True)
class Upperdir:
    """A folder with `upper` and `work` in it, locked while this object is open.

    Attributes:
        path: The folder.
        ephemeral: It goes with the run.
        lock_fd: Descriptor of the folder that holds the lock; -1 once closed.
    """

    path: Path
    ephemeral: bool
    lock_fd: int

    @property
    def upper(self) -> Path:
        """The upperdir proper."""
        return self.path / "upper"

    @property
    def work(self) -> Path:
        """The workdir, on the same file system."""
        return self.path / "work"

    def close(self) -> None:
        """Give the lock back."""
        if self.lock_fd >= 0:
            os.close(self.lock_fd)
            self.lock_fd = -1


def suits_overlayfs(upper: Path) -> bool:
    """Return whether the kernel's overlayfs can use an upperdir, which may have been used before.

    What was begun without user xattrs says "removed" by names, which overlayfs does not know. It is
    asked by reading, as a full or read-only file system has attributes too.
    """
    try:
        os.getxattr(upper, "user.overlay.opaque")
    except OSError as error:
        if error.errno in (errno.EOPNOTSUPP, errno.ENOSYS):
            return False
    return not (upper / os.fsdecode(DOT_FORM_NOTE)).exists()


def keeps_user_xattrs(folder: Path) -> bool:
    """Tell whether a new file in `folder` can have user xattrs."""
    try:
        fd = os.open(folder, os.O_TMPFILE | os.O_RDWR | os.O_CLOEXEC, 0o600)
    except OSError:
        return _named_file_keeps_user_xattrs(folder)
    try:
        os.setxattr(fd, _PROBE_XATTR, b"1")
    except OSError:
        return False
    finally:
        os.close(fd)
    return True


def _named_file_keeps_user_xattrs(folder: Path) -> bool:
    """Do the same where the file system has no O_TMPFILE (NFS)."""
    try:
        import tempfile  # noqa: PLC0415 - where there is no O_TMPFILE

        with tempfile.NamedTemporaryFile(dir=folder, prefix=".tmp-") as file:
            os.setxattr(file.fileno(), _PROBE_XATTR, b"1")
    except OSError:
        return False
    return True


def choose_folder(candidates: Sequence[Path]) -> Path | None:
    """Return the first candidate that can hold an upperdir; None where none can."""
    for folder in candidates:
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            log.debug("no upperdir in %s: %s", folder, error.strerror)
            continue
        if os.access(folder, os.W_OK | os.X_OK) and keeps_user_xattrs(folder):
            return folder
        log.debug("no upperdir in %s: it keeps no user xattrs or cannot be written", folder)
    return None


def open_upperdir(path: Path, *, ephemeral: bool) -> Upperdir:
    """Make the folders of an upperdir and lock it; raises Conflict or StoreError."""
    upperdir = Upperdir(path, ephemeral, -1)
    try:
        # An ephemeral one is locked before anything is in it: whoever sweeps passes by.
        upperdir.lock_fd = make_locked(path) if ephemeral else _lock_kept(path)
        for folder in (upperdir.upper, upperdir.work):
            folder.mkdir(mode=0o755, exist_ok=True)
    except OSError as error:
        upperdir.close()
        raise StoreError(
            f"cannot keep the container's files: {error.strerror}",
            str(error.filename or path),
            "name another folder with --overlay or $ROOTLESS_SCRATCH",
        ) from error
    return upperdir


def _lock_kept(path: Path) -> int:
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(fd)
        raise Conflict(
            "another container is using this upperdir", str(path), "end it first, or name another"
        ) from None
    except OSError:
        os.close(fd)
        raise
    return fd


def inherit_root(upper: Path, lower: Path) -> None:
    """Give a new upperdir the owner, mode and time of the root directory below it.

    The merged root shows the upperdir's own attributes (overlayfs documentation, "Upper and
    Lower"); a used upperdir keeps what the container gave it.
    """
    if os.listdir(upper):
        return
    root = os.stat(lower)
    os.chown(upper, root.st_uid, root.st_gid)
    os.chmod(upper, root.st_mode & 0o7777)
    os.utime(upper, ns=(root.st_atime_ns, root.st_mtime_ns))
