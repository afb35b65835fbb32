"""Where a container is in its life, found out from what cannot lie.

Who runs a container holds a lock of its run folder, and the kernel takes the lock from whoever
dies, whatever killed him. While it is held, `state.json` there tells more. Once it is free the
container has ended: `last-run.json` beside the record tells how, and where that has no end in it,
the run was cut off, by kill -9 of its monitor or with the machine. The run folder does not outlive
a reboot, so nothing that was before is taken for alive.
"""

import contextlib
import json
import os
import signal
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from rootless.containers.plain import from_document, to_document
from rootless.containers.record import Record, folder_of
from rootless.errors import InvalidInput
from rootless.linux.folder_lock import is_locked
from rootless.linux.process_id import ProcessId
from rootless.paths import Paths

CREATED, STARTING, RUNNING, RESTARTING, EXITED, ELSEWHERE = (
    *("created", "starting", "running", "restarting", "exited", "elsewhere"),
)
ALIVE = (STARTING, RUNNING, RESTARTING)

_T = TypeVar("_T")

_STATE, _LAST_RUN = "state.json", "last-run.json"
_CUT_OFF = "cut off: its monitor was killed, or the machine went down"


@dataclass(frozen=True, slots=True)
class Live:
    """What who runs a container says while he does.

    Attributes:
        status: STARTING, RUNNING or RESTARTING.
        runner: The monitor, or the command line of one in the foreground.
        detached: There is a monitor.
        supervisor: None before it is there.
        init: The container's PID 1.
        workload: What it runs, as this host sees it.
        started: RFC 3339 time.
        restarts: How often it was started again.
        health: starting, healthy or unhealthy; "" without a check.
        log_error: Why some of its output is not in the log; "" where all is.
    """

    status: str
    runner: ProcessId
    detached: bool
    supervisor: ProcessId | None = None
    init: ProcessId | None = None
    workload: ProcessId | None = None
    started: str = ""
    restarts: int = 0
    health: str = ""
    log_error: str = ""


@dataclass(frozen=True, slots=True)
class LastRun:
    """How the last run of a container began and ended.

    Attributes:
        host: Where it ran.
        started: RFC 3339 time.
        finished: "" while it runs, and for ever where it was cut off.
        exit_code: Of the workload, 128+N for signal N.
        error: What kept it from starting, or ended it.
        restarts: How often it was started again.
        log_error: Why some of its output is not in the log.
        folder: That of the run; "" in notes of older versions.
    """

    host: str
    started: str = ""
    finished: str = ""
    exit_code: int = 0
    error: str = ""
    restarts: int = 0
    log_error: str = ""
    folder: str = ""


@dataclass(frozen=True, slots=True)
class Status:
    """Where a container is in its life.

    Attributes:
        word: CREATED to ELSEWHERE.
        live: What its runner says, while there is one.
        last: Its last run; None where it never ran.
    """

    word: str
    live: Live | None = None
    last: LastRun | None = None

    @property
    def is_alive(self) -> bool:
        """Tell whether something of it runs."""
        return self.word in ALIVE

    @property
    def may_be_alive(self) -> bool:
        """Tell whether something of it runs, here or, for all that is known, on another host."""
        return self.is_alive or self.word == ELSEWHERE


def run_folder_of(paths: Paths, container_id: str) -> Path:
    """Return the folder of a container's run.

    A run that was begun with another XDG_RUNTIME_DIR (by a batch job, after su) has it where its
    note says: else what runs would be taken for dead, and its files be removed.
    """
    own = paths.runtime / "runs" / container_id
    if is_locked(own):
        return own
    last = _read(paths.store / "containers" / container_id / _LAST_RUN, LastRun)
    if last is None or last.finished or not last.folder or last.host != socket.gethostname():
        return own
    noted = Path(last.folder)
    return noted if _is_own(noted) and is_locked(noted) else own


def _is_own(folder: Path) -> bool:
    try:  # /tmp may have been swept, and be another user's under the same name
        return os.lstat(folder).st_uid == os.getuid()
    except OSError:
        return False


def look(paths: Paths, record: Record) -> Status:
    """Return a container's status."""
    folder = run_folder_of(paths, record.id)
    if is_locked(folder):
        live = _read(folder / _STATE, Live)
        return Status(live.status if live else STARTING, live)
    last = _read(folder / _LAST_RUN, LastRun)  # where the store could not take it
    if last is None:
        last = _read(folder_of(paths, record) / _LAST_RUN, LastRun)
    if last is None:
        return Status(CREATED if record.kept else EXITED)
    if not last.finished:
        if last.host != socket.gethostname():
            return Status(ELSEWHERE, last=last)
        last = LastRun(
            last.host,
            started=last.started,
            exit_code=128 + signal.SIGKILL,
            error=_CUT_OFF,
            restarts=last.restarts,
        )
    return Status(EXITED, last=last)


def write_live(folder: Path, live: Live) -> None:
    """Say where the container is, in its run's folder; a full disk must not end it."""
    with contextlib.suppress(OSError):
        _write(folder / _STATE, live)


def write_last_run(folder: Path, last: LastRun) -> None:
    """Note a run beside the record, or in the run's folder; raises OSError."""
    _write(folder / _LAST_RUN, last)


def _read(path: Path, kind: type[_T]) -> _T | None:
    with contextlib.suppress(OSError, ValueError, InvalidInput):
        return from_document(kind, json.loads(path.read_bytes()))
    return None


def _write(path: Path, value: Live | LastRun) -> None:
    temp = path.with_name(f".tmp-{path.name}-{os.getpid()}")
    try:
        temp.write_text(json.dumps(to_document(value)), encoding="utf-8")
        temp.rename(path)
    except OSError:
        temp.unlink(missing_ok=True)
        raise
