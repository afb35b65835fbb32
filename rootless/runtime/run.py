"""`run`: create, start, wait and delete in one (runc's verb; not of the specification)."""

import contextlib
import os
import signal
from collections.abc import Iterator

from rootless.errors import RootlessError
from rootless.linux import prctl
from rootless.linux.pidfd import send_signal
from rootless.runtime.create import CreateRequest, create
from rootless.runtime.delete import delete
from rootless.runtime.start import start
from rootless.runtime.status_file import StateFolder

_FORWARDED = (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM)


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
            with _forwarding(pidfd):
                start(request.root, request.id)
                _, status = os.waitpid(pid, 0)
        finally:
            os.close(pidfd)
    finally:
        delete(request.root, request.id, force=True)
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else 128 - code


@contextlib.contextmanager
def _forwarding(pidfd: int) -> Iterator[None]:
    """Pass signals on to the container, which has a session of its own."""

    def forward(number: int, _frame: object) -> None:
        send_signal(pidfd, number)

    before = {number: signal.signal(number, forward) for number in _FORWARDED}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
