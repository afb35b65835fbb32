"""`kill`: send a signal to a container (runtime-spec runtime.md, "Kill")."""

import os
import signal
from pathlib import Path

from rootless.errors import Conflict, InvalidInput
from rootless.linux.pidfd import send_signal
from rootless.oci.state import Status
from rootless.runtime import processes
from rootless.runtime.status_file import StateFolder


def kill(root: Path, container_id: str, number: int, *, everyone: bool = False) -> None:
    """Send the signal to the container's process, or to all of its processes.

    Raises Conflict where it is neither created nor running.
    """
    with StateFolder.open(root, container_id) as folder:
        pidfd = folder.open_process()
        if pidfd is None:
            status = folder.state().status
            if everyone and status is Status.STOPPED:
                return  # as runc has it: whatever there was is gone
            raise Conflict(f"cannot signal a container that is {status}", container_id)
        try:
            if everyone:
                processes.signal_all(folder.record().pid, pidfd, number)
            elif not send_signal(pidfd, number):
                raise Conflict("cannot signal a container that is stopped", container_id)
        except PermissionError as error:
            raise Conflict("the container's process is not yours", container_id) from error
        finally:
            os.close(pidfd)


def parse_signal(text: str) -> int:
    """Return a signal's number: `15`, `TERM` or `SIGTERM`; raises InvalidInput."""
    if text.isascii() and text.isdecimal() and 0 < int(text) < signal.NSIG:
        return int(text)
    name = text.upper()
    found = getattr(signal, name if name.startswith("SIG") else f"SIG{name}", None)
    if isinstance(found, signal.Signals):
        return int(found)
    raise InvalidInput("unknown signal", text)
