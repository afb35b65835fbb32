"""What a run stands on, opened by its keeper before the fork: upperdir, cgroup, what it joins.

Each is given back when the run is over, also what a supervisor that was killed could not.
"""

import contextlib
import logging
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from rootless.containers.container import Container, OverlayRoot
from rootless.containers.joined import Joined
from rootless.containers.lazy_layers import open_layers
from rootless.containers.neighbour import open_joined
from rootless.containers.run_folder import RunFolder, remove_cgroup, remove_owned_by_container
from rootless.errors import StoreError
from rootless.linux.private_folder import make_private
from rootless.overlay.upperdir import Upperdir, choose_folder, open_upperdir
from rootless.paths import Paths, shared_folder
from rootless.runtime import cgroups
from rootless.runtime.cgroup import Cgroup

if TYPE_CHECKING:
    from rootless.containers.job_namespace import JobNamespace
    from rootless.lazy.launch import Fetcher
    from rootless.overlay.shared import SharedLower

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Footing:
    """What is open.

    Attributes:
        folder: The run's folder.
        upperdir: None for a tmpfs, or none at all.
        cgroup: None where the container stays in its keeper's.
        joined: The namespaces of others to join.
        container: The container as it runs: with its layers where they are now.
        fetcher: Gets the parts of lazy layers that are not there; None where all are.
        job: The note of its job's user namespace, locked; None for one of its own.
        lower: The image's lower, mounted already, with its user namespace; None: it is to be made.
    """

    folder: RunFolder
    upperdir: Upperdir | None
    cgroup: Cgroup | None
    joined: Joined
    container: Container
    fetcher: "Fetcher | None" = None
    job: "JobNamespace | None" = None
    lower: "SharedLower | None" = None

    @property
    def user_fd(self) -> int:
        """Return the user namespace to join, -1 for a new one."""
        if self.lower is not None:
            return self.lower.user_fd
        if self.joined.user_fd < 0 and self.job is not None:
            return self.job.user_fd
        return self.joined.user_fd

    def standing_on(self, lower: "SharedLower | None") -> "Footing":
        """Return it on a lower that is there, if that is whole and the container may have it."""
        root = self.container.root
        is_fit = (
            lower is not None
            and isinstance(root, OverlayRoot)
            and root.driver != "fuse"
            and not self.container.maps.privileged
            and self.user_fd < 0
            and self.job is None
            and self.fetcher is None
            and lower.is_whole()
        )
        return replace(self, lower=lower) if is_fit else self

    def note_member(self, pid: int) -> None:
        """Write down, where there is a note to be written, who is in the user namespace now."""
        if self.job is not None:
            self.job.note(pid)

    @classmethod
    def open(
        cls, container: Container, paths: Paths, folder: RunFolder, owned: contextlib.ExitStack
    ) -> "Footing":
        """Open everything; `owned` gives it back. Raises RootlessError."""
        upperdir = _open_upperdir(container, paths)
        if upperdir is not None:
            owned.callback(_close_upperdir, upperdir)
        cgroup = _prepare_cgroup(container, folder)
        if cgroup is not None:
            owned.callback(remove_cgroup, cgroup)
        joined = open_joined(paths, container)
        owned.callback(joined.close)
        container, fetcher = open_layers(container, paths, folder, owned)
        job = None
        if container.job is not None and joined.user_fd < 0:  # last: others wait for it
            from rootless.containers.job_namespace import JobNamespace  # noqa: PLC0415

            job = JobNamespace.open(paths, container.job, container.maps)
            owned.callback(job.close)
        return cls(folder, upperdir, cgroup, joined, container, fetcher, job)


def folder_for_upperdirs(own: Path, name: str) -> Path | None:
    """Return the folder where it can have upperdirs, else one of that name on a local disk."""
    if (folder := choose_folder((own,))) is not None:
        return folder
    try:
        make_private(shared_folder())  # where another user may have been first
    except (StoreError, OSError) as error:
        log.debug("no upperdir in %s: %s", shared_folder(), error)
        return None
    return choose_folder((shared_folder() / name,))


def _open_upperdir(container: Container, paths: Paths) -> Upperdir | None:
    root = container.root
    if not isinstance(root, OverlayRoot):
        return None
    if root.kept is not None:
        return open_upperdir(root.kept, ephemeral=False)
    if container.spec.root_readonly:
        return None  # only mount points are made in it
    folder = folder_for_upperdirs(paths.scratch, "scratch")
    if folder is None:
        log.info("no file system for an upperdir: writes go to memory")
        return None
    return open_upperdir(folder / container.id, ephemeral=True)


def _close_upperdir(upperdir: Upperdir) -> None:
    if upperdir.ephemeral and upperdir.path.exists():
        remove_owned_by_container([upperdir.path])
    upperdir.close()


def _prepare_cgroup(container: Container, folder: RunFolder) -> Cgroup | None:
    if not container.cgroup:
        return None
    spec = container.spec
    cgroup = cgroups.prepare(
        spec.linux,
        container.id,
        systemd=":" in spec.linux.cgroups_path,
        strict=cgroups.strict_wanted(spec.annotations),
    )
    if cgroup is not None:
        folder.keep_cgroup(cgroup)
    return cgroup
