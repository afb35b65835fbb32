"""`pause` and `resume`: the freezer of the container's cgroup (runc's verbs)."""

from pathlib import Path

from rootless.errors import Conflict, Precondition
from rootless.oci.state import Status
from rootless.runtime.cgroup import Cgroup
from rootless.runtime.cgroups import open_cgroup
from rootless.runtime.status_file import StateFolder


def pause(root: Path, container_id: str) -> None:
    """Stop every process of the container until `resume`."""
    _cgroup_of(root, container_id).freeze()


def resume(root: Path, container_id: str) -> None:
    """Let a paused container go on."""
    _cgroup_of(root, container_id).thaw()


def _cgroup_of(root: Path, container_id: str) -> Cgroup:
    with StateFolder.open(root, container_id) as folder:
        record = folder.record()
        status = folder.status(record)
    if status is not Status.RUNNING:
        raise Conflict(f"cannot pause or resume a container that is {status}", container_id)
    if not record.cgroup:
        raise Precondition(
            "the container has no cgroup, and only that can be frozen",
            container_id,
            "see 'rootless doctor'",
            check="cgroup",
        )
    return open_cgroup(record.cgroup)
