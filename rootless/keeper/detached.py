"""A run in the background through the holder: its monitor is a fork, in the place of a program.

The keeper is what the command line is otherwise: it keeps the record, holds its lock until the
workload runs, and tells the client how it went. The monitor and all below it are those of every
container (`containers.monitor`), but that everything is imported, and the image is mounted.
"""

import contextlib
import marshal
import os
import signal
import socket
from collections.abc import Iterable
from typing import Any, NoReturn

from rootless import timings
from rootless.containers import monitor
from rootless.containers.record import Record
from rootless.containers.run import run_detached
from rootless.containers.start import Launching
from rootless.errors import RootlessError
from rootless.keeper.plan import Asked
from rootless.overlay import spare
from rootless.overlay.shared import SharedLower

_INHERITED = (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTSTP, signal.SIGTERM)


def serve(door: socket.socket, asked: Asked, lower: SharedLower | None) -> None:
    """Run it, and tell who waits at the door its ID, or what is wrong.

    From the first word on he takes no other way: a container may have been made.
    """
    with contextlib.suppress(OSError):
        door.send(marshal.dumps({"detached": True}))
    launching = Launching(lambda record, first: _fork(record, first, lower), door.fileno())
    told: dict[str, Any]
    try:
        told = {"id": run_detached(asked.image, asked.request, launching)}
    except RootlessError as error:
        told = {"error": error.to_record()}
    except OSError as error:
        what = error.strerror or str(error)
        told = {"error": RootlessError(what, os.fsdecode(error.filename or b"")).to_record()}
    except Exception as error:  # noqa: BLE001 - the client has no other way any more
        what = f"internal error: {type(error).__name__}: {error}"
        told = {"error": RootlessError(what).to_record()}
    with contextlib.suppress(OSError):
        door.send(marshal.dumps(told))


def _fork(record: Record, first: Iterable[bytes], lower: SharedLower | None) -> socket.socket:
    """Start the monitor; return the connection to it."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    for packet in first:
        ours.send(packet)
    try:
        pid = os.fork()
    except OSError as error:
        what = f"cannot start a process: {error.strerror}"
        raise RootlessError(what, fix="look at ulimit -u and free memory") from error
    if pid == 0:
        _be_monitor(record, theirs, lower)
    theirs.close()
    return ours


def _be_monitor(record: Record, end: socket.socket, lower: SharedLower | None) -> NoReturn:
    """Be as a program that was started afresh: nothing of the keeper's stays open."""
    status = RootlessError.exit_status
    try:
        os.setsid()
        os.chdir("/")
        for number in _INHERITED:
            signal.signal(number, signal.SIG_DFL)
        null = os.open(os.devnull, os.O_RDWR)
        for fd in (0, 1, 2):
            os.dup2(null, fd)
        timings.adopt(-1)  # the marks are the caller's
        spare.forget()  # it may outlive the holder
        _close_all_but({end.fileno(), *(() if lower is None else lower.fds())})
        status = monitor.keep(record.id, end, lower)
    finally:
        os._exit(status)


def _close_all_but(kept: set[int]) -> None:
    low = 3
    for fd in sorted(kept):
        os.closerange(low, fd)
        low = fd + 1
    os.closerange(low, 1 << 20)
