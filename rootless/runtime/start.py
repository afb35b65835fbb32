"""`start`: let a created container run its program (runtime-spec runtime.md, "Start")."""

from dataclasses import replace
from pathlib import Path

from rootless.errors import Conflict
from rootless.oci.state import Status
from rootless.runtime import gate
from rootless.runtime.hooks import try_hooks
from rootless.runtime.status_file import StateFolder


def start(root: Path, container_id: str) -> None:
    """Start the container; raises Conflict where it is not created, or what kept it."""
    with StateFolder.open(root, container_id, lock=True) as folder:
        state = folder.state()
        if state.status is not Status.CREATED:
            raise Conflict(f"cannot start a container that is {state.status}", container_id)
        hooks = folder.spec().hooks
        gate.let_go(folder.fd)
        # A hook may well call another verb.
        folder.unlock()
        try_hooks(hooks.poststart, replace(state, status=Status.RUNNING).to_json().encode())
