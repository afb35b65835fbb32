"""`start`: let a created container run its program (runtime-spec runtime.md, "Start")."""

from dataclasses import replace
from pathlib import Path

from rootless.errors import Conflict
from rootless.oci.state import Status
from rootless.runtime import gate
from rootless.runtime.hooks import try_hooks
from rootless.runtime.seccomp_listener import tell_agent
from rootless.runtime.status_file import StateFolder


def start(root: Path, container_id: str) -> None:
    """Start the container; raises Conflict where it is not created, or what kept it."""
    with StateFolder.open(root, container_id, lock=True) as folder:
        state = folder.state()
        if state.status is not Status.CREATED:
            raise Conflict(f"cannot start a container that is {state.status}", container_id)
        spec = folder.spec()

        def on_listener(listener: int) -> None:
            assert spec.linux.seccomp is not None  # noqa: S101 - a filter of it made the listener
            tell_agent(listener, state.pid, spec.linux.seccomp, state.to_document())

        gate.let_go(folder.fd, on_listener)
        # A hook may well call another verb.
        folder.unlock()
        try_hooks(spec.hooks.poststart, replace(state, status=Status.RUNNING).to_json().encode())
