"""Bringing a container to its end: asked, told, and by force; and waiting for it."""

import contextlib
import os
import select
import signal
import time
from typing import Self

from rootless.containers import control
from rootless.containers.record import Record
from rootless.containers.status import CREATED, Status, look, run_folder_of
from rootless.errors import Conflict, RootlessError
from rootless.linux.channel import Channel
from rootless.linux.folder_lock import is_locked
from rootless.linux.process_id import ProcessId
from rootless.paths import Paths

_FORCE_PATIENCE_S = 20.0
_GENTLE_S = 3.0
_TAKE_DOWN_S = 12.0
_POLL_S = 0.02


def stop(paths: Paths, record: Record, timeout: float | None = None, number: int = 0) -> bool:
    """End a container by its stop signal, and after some seconds by SIGKILL.

    Returns False where it did not run. It is not started again. `number` is another signal than
    its own.
    """
    if not look(paths, record).is_alive:
        return False
    patience = record.policy.stop_timeout if timeout is None else timeout
    with _Watch(paths, record) as watch:
        number = number or record.policy.stop_signal
        for told, seconds in ((number, patience), (signal.SIGKILL, _GENTLE_S)):
            if seconds and (not _tell(paths, record, told, ends=True) or watch.ended(seconds)):
                break
    end_now(paths, record)
    return True


def kill(paths: Paths, record: Record, number: int) -> None:
    """Send a signal to the workload; raises Conflict where it does not run."""
    if not look(paths, record).is_alive or not _tell(paths, record, number, ends=False):
        raise not_running(record)


def wait(paths: Paths, record: Record) -> int:
    """Wait until a container has ended for good; return its exit status."""
    status = look(paths, record)
    if status.word == CREATED:
        raise Conflict("the container has never been started", record.name, "rootless start it")
    if status.is_alive:
        with _Watch(paths, record) as watch:
            watch.ended(None)
            if watch.exit_code is not None:
                return watch.exit_code
        _await_unlocked(paths, record, None)
        status = look(paths, record)
    return exit_code(status)


def exit_code(status: Status) -> int:
    """Return the exit status of a container that has ended, 137 where none is known."""
    return status.last.exit_code if status.last is not None else 128 + signal.SIGKILL


def end_now(paths: Paths, record: Record) -> None:
    """End everything of a container, whatever state its processes are in; wait for it.

    Raises Conflict where it does not end, as in the middle of a request to a dead server.
    """
    live = look(paths, record).live
    if live is not None and not live.detached:
        # The command line is somebody's, who is to read how it ended.
        _kill_all([live.init])
        _await_unlocked(paths, record, _GENTLE_S)
    # Without a PID namespace of its own it is ended by those two, whom the runner's end tells.
    gentle = time.monotonic() + (_TAKE_DOWN_S if record.container.pid else 0)
    deadline = time.monotonic() + _FORCE_PATIENCE_S
    while is_locked(run_folder_of(paths, record.id)):
        live = look(paths, record).live  # again and again: it may be about to start
        if live is not None:
            others = [live.supervisor, live.init] if time.monotonic() >= gentle else []
            _kill_all([live.runner, *others])
        if time.monotonic() > deadline:
            raise Conflict("the container does not end", record.name, "its processes hang")
        time.sleep(_POLL_S)


def not_running(record: Record) -> Conflict:
    """Return the error for what needs a running container."""
    return Conflict("the container is not running", record.name, "rootless start it")


class _Watch:
    """A connection that tells when a container has ended for good."""

    def __init__(self, paths: Paths, record: Record) -> None:
        self.exit_code: int | None = None
        end = control.connect(run_folder_of(paths, record.id))
        self._channel = None if end is None else Channel(end)
        if self._channel is not None:
            self._channel.send({"wait": True})

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._channel is not None:
            self._channel.close()

    def ended(self, timeout: float | None) -> bool:
        """Wait; False where it did not end in time."""
        if self._channel is None:
            return False
        poll = select.poll()
        poll.register(self._channel.fileno(), select.POLLIN)
        if not poll.poll(None if timeout is None else timeout * 1000):
            return False
        received = self._channel.receive()
        if received is not None and "exited" in received[0]:
            self.exit_code = int(received[0]["exited"])
        return True


def _tell(paths: Paths, record: Record, number: int, *, ends: bool) -> bool:
    """Ask the keeper for a signal; False where there is none any more."""
    message = {"signal": int(number), "ends": ends}
    answer = control.ask(run_folder_of(paths, record.id), message)
    if answer is not None and "error" in answer:
        raise RootlessError.from_record(answer["error"])
    return answer is not None


def _kill_all(processes: list[ProcessId | None]) -> None:
    for process in processes:
        if process is not None and process.pid != os.getpid():
            with contextlib.suppress(PermissionError):  # PID 1 after a change of its IDs
                process.send_signal(signal.SIGKILL)


def _await_unlocked(paths: Paths, record: Record, timeout: float | None) -> None:
    folder = run_folder_of(paths, record.id)
    deadline = None if timeout is None else time.monotonic() + timeout
    while is_locked(folder) and (deadline is None or time.monotonic() < deadline):
        time.sleep(_POLL_S)
