"""The folder of one run: mount points, name files, the server's log; and what dead runs left.

Each folder is locked (flock(2) on itself) while a process of its run lives, so that whoever comes
next can tell a dead run's folder from a living one's, whatever killed it (`linux.folder_lock`).
"""

import contextlib
import logging
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from rootless.errors import Conflict, RootlessError, StoreError
from rootless.linux.folder_lock import lock_dead, make_locked
from rootless.linux.private_folder import make_private
from rootless.linux.remove_tree import remove_tree
from rootless.paths import Paths, shared_folder
from rootless.runtime.cgroup import Cgroup
from rootless.runtime.cgroups import open_cgroup
from rootless.userns.create import run_inside
from rootless.userns.maps import MapRequest, choose_maps
from rootless.userns.subid import Caller

log = logging.getLogger(__name__)

JOBS = "jobs"
_CGROUP = "cgroup"
_ANY = re.compile(".*")
_RUN_ID = re.compile("[0-9a-f]{64}")
"""What `$ROOTLESS_SCRATCH` names may be /tmp, and full of other things."""


@dataclass(slots=True)
class RunFolder:
    """A locked folder of the run-time folder."""

    path: Path
    lock_fd: int

    @classmethod
    def create(cls, paths: Paths, container_id: str) -> "RunFolder":
        """Make the folder of a run, in place of a dead one's; raises StoreError, Conflict."""
        runs = paths.runtime / "runs"
        path = runs / container_id
        try:
            # One by one: a parent that mkdir makes on the way has the mode of the umask.
            make_private(paths.runtime)
            runs.mkdir(mode=0o700, exist_ok=True)
            if path.exists():
                _remove_dead(path)
            fd = make_locked(path)
        except FileExistsError:
            raise Conflict("the container is running", container_id[:12]) from None
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

    def keep_cgroup(self, cgroup: Cgroup) -> None:
        """Note the run's cgroup, for whoever finds the folder of a run that was killed."""
        self.write(_CGROUP, os.fsencode(cgroup.path))

    def remove(self) -> None:
        """Remove the folder; nothing is mounted in it as this process sees it."""
        with contextlib.suppress(OSError):
            remove_tree(self.path)
        if self.lock_fd >= 0:
            os.close(self.lock_fd)
            self.lock_fd = -1


def _remove_dead(path: Path) -> None:
    fd = lock_dead(path)
    if fd is not None:
        remove_run(path)
        os.close(fd)


def cgroup_of(path: Path) -> str:
    """Return the cgroup of the run in a folder, "" where it has none of its own."""
    try:
        return os.fsdecode((path / _CGROUP).read_bytes())
    except OSError:
        return ""


def remove_run(path: Path) -> None:
    """Remove the folder of a run that has ended, and its cgroup, if whoever ran it could not."""
    with contextlib.suppress(OSError):
        if cgroup_of(path):
            remove_cgroup(open_cgroup(cgroup_of(path)))
    with contextlib.suppress(OSError):
        remove_tree(path)


def sweep(paths: Paths) -> None:
    """Remove what runs left whose processes are gone. Costs a listing where there is nothing."""
    with _dead(paths.runtime / "runs") as left:
        for path in left:
            log.debug("removing the folder of a dead run: %s", path)
            remove_run(path)
    for scratch in (paths.scratch, shared_folder() / "scratch"):
        with _dead(scratch, _RUN_ID) as left:
            if left:
                remove_owned_by_container(left)
    if (paths.runtime / JOBS).exists():
        from rootless.containers import job_namespace  # noqa: PLC0415 - of batch jobs

        job_namespace.sweep(paths.runtime / JOBS)


def remove_cgroup(cgroup: Cgroup) -> None:
    """Remove a run's cgroup, if it has not gone; nothing of the run lives in it any more."""
    try:
        cgroup.remove()
    except RootlessError as error:
        log.warning("%s", error)


@contextlib.contextmanager
def _dead(folder: Path, names: re.Pattern[str] = _ANY) -> Iterator[list[Path]]:
    """Give the folders in `folder` whose owners are gone, locked for as long."""
    fds = []
    try:
        paths = []
        for path in _folders(folder, names):
            fd = lock_dead(path)
            if fd is not None:
                fds.append(fd)
                paths.append(path)
        yield paths
    finally:
        for fd in fds:
            os.close(fd)


def _folders(folder: Path, names: re.Pattern[str]) -> list[Path]:
    """Return one's own folders of such names."""
    try:
        with os.scandir(folder) as found:
            return [Path(item.path) for item in found if names.fullmatch(item.name) and _own(item)]
    except OSError:
        return []


def _own(item: os.DirEntry[str]) -> bool:
    if not item.is_dir(follow_symlinks=False):
        return False
    return item.stat(follow_symlinks=False).st_uid == os.getuid()


def remove_owned_by_container(folders: list[Path]) -> None:
    """Remove folders that hold files of the caller's sub-IDs, from inside a user namespace."""
    if all(_removed(folder) for folder in folders):
        return  # nothing in them was a sub-ID's

    def remove() -> None:
        for folder in folders:
            with contextlib.suppress(OSError):
                remove_tree(folder)

    try:
        run_inside(choose_maps(MapRequest(), Caller.current()), remove)
    except RootlessError as error:
        log.warning("cannot remove %s: %s", folders[0], error)


def _removed(folder: Path) -> bool:
    with contextlib.suppress(OSError):
        remove_tree(folder)
        return True
    return False
