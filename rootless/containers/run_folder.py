"""The folder of one run: mount points, name files, the server's log; and what dead runs left.

Each folder is locked (flock(2) on itself) while a process of its run lives, so that whoever comes
next can tell a dead run's folder from a living one's, whatever killed it.
"""

import contextlib
import fcntl
import logging
import os
import shutil
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from rootless.errors import RootlessError, StoreError
from rootless.paths import Paths
from rootless.userns.create import run_inside
from rootless.userns.maps import MapRequest, choose_maps
from rootless.userns.subid import Caller

log = logging.getLogger(__name__)


@dataclass(slots=True)
class RunFolder:
    """A locked folder of the run-time folder."""

    path: Path
    lock_fd: int

    @classmethod
    def create(cls, paths: Paths, container_id: str) -> "RunFolder":
        """Make the folder of a run; raises StoreError."""
        runs = paths.runtime / "runs"
        path = runs / container_id
        try:
            runs.mkdir(mode=0o700, parents=True, exist_ok=True)
            _check_private(paths.runtime)
            path.mkdir(mode=0o700)
            fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise StoreError(
                f"cannot make a folder for the run: {error.strerror}",
                str(error.filename),
                "set XDG_RUNTIME_DIR or TMPDIR to a folder of yours",
            ) from error
        return cls(path, fd)

    def write(self, name: str, data: bytes, mode: int = 0o644) -> Path:
        """Write a file of the run."""
        path = self.path / name
        path.write_bytes(data)
        path.chmod(mode)
        return path

    def remove(self) -> None:
        """Remove the folder; nothing is mounted in it as this process sees it."""
        shutil.rmtree(self.path, ignore_errors=True)
        if self.lock_fd >= 0:
            os.close(self.lock_fd)
            self.lock_fd = -1


def _check_private(folder: Path) -> None:
    """Refuse a folder in a shared /tmp that another user made first."""
    found = folder.lstat()
    if found.st_uid != os.getuid() or stat.S_IMODE(found.st_mode) & 0o022:
        raise StoreError(
            "the run-time folder is not yours alone",
            str(folder),
            "set XDG_RUNTIME_DIR or TMPDIR to a folder of yours",
        )


def sweep(paths: Paths) -> None:
    """Remove what runs left whose processes are gone. Costs a listing where there is nothing."""
    for path in _dead(paths.runtime / "runs"):
        log.debug("removing the folder of a dead run: %s", path)
        shutil.rmtree(path, ignore_errors=True)
    left = list(_dead(paths.scratch))
    if left:
        remove_owned_by_container(left)


def _dead(folder: Path) -> Iterator[Path]:
    """Yield the folders in `folder` that nobody has locked."""
    try:
        found = list(os.scandir(folder))
    except OSError:
        return
    for item in found:
        if item.is_dir(follow_symlinks=False) and _is_unlocked(item.path):
            yield Path(item.path)


def _is_unlocked(path: str) -> bool:
    try:
        fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    finally:
        os.close(fd)
    return True


def remove_owned_by_container(folders: list[Path]) -> None:
    """Remove folders that hold files of the caller's sub-IDs, from inside a user namespace."""
    if all(_removed(folder) for folder in folders):
        return  # nothing in them was a sub-ID's

    def remove() -> None:
        for folder in folders:
            shutil.rmtree(folder, ignore_errors=True)

    try:
        run_inside(choose_maps(MapRequest(), Caller.current()), remove)
    except RootlessError as error:
        log.warning("cannot remove %s: %s", folders[0], error)


def _removed(folder: Path) -> bool:
    with contextlib.suppress(OSError):
        shutil.rmtree(folder)
        return True
    return False
