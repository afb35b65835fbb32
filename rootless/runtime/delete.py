"""`delete`: remove what is kept of a stopped container (runtime-spec runtime.md, "Delete")."""

import os
from pathlib import Path

from rootless.errors import Conflict, NotFound, RootlessError
from rootless.linux.pidfd import kill_and_wait
from rootless.oci.state import State, Status
from rootless.runtime.cgroups import open_cgroup
from rootless.runtime.hooks import try_hooks
from rootless.runtime.status_file import StateFolder

_PATIENCE_S = 10.0


def delete(root: Path, container_id: str, *, force: bool = False) -> None:
    """Delete the container; raises Conflict where it has not stopped.

    With `force` it is killed first, and one that is not there is no error.
    """
    try:
        folder = StateFolder.open(root, container_id, lock=True)
    except NotFound:
        if force:
            return
        raise
    with folder:
        try:
            state = folder.state()
            hooks = folder.spec().hooks.poststop
        except RootlessError:
            if not force:
                raise
            folder.remove()
            return
        if state.status is not Status.STOPPED:
            if not force:
                raise Conflict(
                    f"cannot delete a container that is {state.status}",
                    container_id,
                    "kill it first, or delete with --force",
                )
            _end(folder)
        _remove_cgroup(folder.record().cgroup)
        folder.remove()
        stopped = State(state.id, Status.STOPPED, 0, state.bundle, state.annotations)
        try_hooks(hooks, stopped.to_json().encode())


def _remove_cgroup(path: str) -> None:
    """End what is left where the container had no PID namespace, and remove the cgroup."""
    if path:
        cgroup = open_cgroup(path)
        cgroup.kill()
        cgroup.remove()


def _end(folder: StateFolder) -> None:
    pidfd = folder.open_process()
    if pidfd is None:
        return
    try:
        if not kill_and_wait(pidfd, _PATIENCE_S):
            raise Conflict(
                f"the container's process does not end within {_PATIENCE_S:.0f} s of SIGKILL",
                folder.path.name,
                "it waits for a device or a network file system",
            )
    finally:
        os.close(pidfd)
