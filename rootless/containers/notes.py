"""What a container's keeper notes for other commands: where it is, and how its run ended."""

import contextlib
import socket
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from rootless.containers.record import Record, folder_of
from rootless.containers.status import (
    RESTARTING,
    RUNNING,
    STARTING,
    LastRun,
    Live,
    write_last_run,
    write_live,
)
from rootless.containers.times import now
from rootless.image.store_errors import explain
from rootless.linux.process_id import ProcessId, own_id
from rootless.paths import Paths


class Processes(Protocol):
    """Which processes a run has: `session.Session`, or what keeps one otherwise."""

    is_running: bool
    supervisor: ProcessId | None
    init: ProcessId | None
    workload: ProcessId | None


class Notes:
    """The notes of one keeper.

    Args:
        paths: Where things lie.
        record: The container.
        folder: Its run's folder.
        detached: The keeper is a monitor.

    Attributes:
        live: What is in the run's folder.
        last: What is, or will be, beside the record.
        paths: Where things lie.
    """

    def __init__(self, paths: Paths, record: Record, folder: Path, *, detached: bool) -> None:
        self.live = Live(STARTING, own_id(), detached=detached)
        self.last = LastRun(socket.gethostname(), folder=str(folder))
        self.paths = paths
        self._folder = folder
        # What goes with its run leaves no note of it.
        self._kept_in = folder_of(paths, record) if record.kept else None

    def begin(self) -> None:
        """Note the beginning of a run; raises StoreError where the store takes nothing."""
        self.last = replace(self.last, started=now(), finished="", exit_code=0, error="")
        self._say(status=STARTING, started=self.last.started, supervisor=None)
        self._say(init=None, workload=None, health="")
        with explain(self._kept_in or self._folder):
            self._write_last()

    def processes(self, session: Processes) -> None:
        """Note which processes a run has."""
        self._say(
            status=RUNNING if session.is_running else STARTING,
            supervisor=session.supervisor,
            init=session.init,
            workload=session.workload,
        )

    def log_error(self, error: str) -> None:
        """Note why some of its output is not in the log."""
        if error != self.live.log_error:
            self.last = replace(self.last, log_error=error)
            self._say(log_error=error)

    def health(self, status: str) -> None:
        """Note what the health check says."""
        if status != self.live.health:
            self._say(health=status)

    def finish(self, status: int, error: str) -> None:
        """Keep in mind how the run ended."""
        self.last = replace(self.last, finished=now(), exit_code=status, error=error)

    def pause(self) -> None:
        """Note that it is to be started again."""
        restarts = self.live.restarts + 1
        self.last = replace(self.last, restarts=restarts)
        self._say(status=RESTARTING, restarts=restarts, init=None, workload=None)
        with contextlib.suppress(OSError):
            self._write_last()

    def end(self) -> bool:
        """Note the end; False where it is in the run's folder, as the store took nothing."""
        try:
            self._write_last()
        except OSError:
            with contextlib.suppress(OSError):
                write_last_run(self._folder, self.last)
                return False
        return True

    def _say(self, **changes: object) -> None:
        self.live = replace(self.live, **changes)  # type: ignore[arg-type]
        write_live(self._folder, self.live)

    def _write_last(self) -> None:
        if self._kept_in is not None:
            write_last_run(self._kept_in, self.last)
