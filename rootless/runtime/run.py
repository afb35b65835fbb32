"""`run`: create, start, wait and delete in one (runc's verb; not of the specification)."""

import os

from rootless.errors import RootlessError
from rootless.linux import prctl
from rootless.runtime.create import CreateRequest, create
from rootless.runtime.delete import delete
from rootless.runtime.signals import Forwarding
from rootless.runtime.start import start
from rootless.runtime.status_file import StateFolder


def run(request: CreateRequest) -> int:
    """Run the container to its end; return its status, 128+N for signal N."""
    # The container's process is an orphan's child: this makes it ours to wait for.
    prctl.set_child_subreaper()
    create(request)
    try:
        with StateFolder.open(request.root, request.id) as folder:
            pid = folder.record().pid
            pidfd = folder.open_process()
        if pidfd is None:
            raise RootlessError("the container ended before it was started", request.id)
        try:
            with Forwarding() as forwarding:
                forwarding.to(pidfd)
                start(request.root, request.id)
                _, status = os.waitpid(pid, 0)
        finally:
            os.close(pidfd)
    finally:
        delete(request.root, request.id, force=True)
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else 128 - code
