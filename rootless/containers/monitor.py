"""The process that keeps a container which nobody waits for.

A program of its own, so that it holds nothing of the command that started it and imports no more
than it needs. It owns the supervisor as the command line does in the foreground, writes the log,
answers other commands, notes how the run ended, and starts it again where the policy says so.

When it is killed the kernel ends its channel to the supervisor, which then takes everything down;
what is left of it is a run that never ended in `last-run.json`.
"""

import contextlib
import logging
import os
import select
import signal
import socket
import sys
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from rootless.containers import control
from rootless.containers.clients import Client, Clients
from rootless.containers.footing import Footing
from rootless.containers.health import Health, Started
from rootless.containers.located import located
from rootless.containers.log_file import STDERR, STDOUT, LogFile
from rootless.containers.notes import Notes
from rootless.containers.policy import parse_signal
from rootless.containers.record import Record, folder_of, read
from rootless.containers.remove import remove
from rootless.containers.run_folder import RunFolder
from rootless.containers.session import Session, StreamSetup, cut_off
from rootless.containers.signal_pipe import SignalPipe
from rootless.containers.workload_streams import WorkloadStreams
from rootless.errors import Conflict, InvalidInput, RootlessError, StoreError
from rootless.linux import prctl
from rootless.linux.channel import Message
from rootless.paths import Paths

if TYPE_CHECKING:
    from rootless.overlay.shared import SharedLower

_FIRST_PAUSE_S = 0.1
_LONGEST_PAUSE_S = 60.0
_LONG_ENOUGH_S = 10.0  # one that ran so long starts without a pause again
_ENDING = (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM, signal.SIGKILL)
_TAKEN = (signal.SIGHUP, signal.SIGINT, signal.SIGTERM)  # of a shell that goes, of a service's stop
_LOG_NAMES = {control.STDOUT: STDOUT, control.STDERR: STDERR}


class _Warnings(logging.Handler):
    """Tells whoever waits for the start what the container goes without."""

    def __init__(self, starter: Client) -> None:
        super().__init__(logging.WARNING)
        self._starter = starter

    def emit(self, record: logging.LogRecord) -> None:
        """Send the line."""
        self._starter.send({"warning": record.getMessage()})


class Monitor:
    """Keeps one container from its start until it is not started again."""

    def __init__(
        self,
        paths: Paths,
        record: Record,
        folder: RunFolder,
        report: socket.socket,
        signals: SignalPipe,
        *,
        lower: "SharedLower | None" = None,
    ) -> None:
        self._paths = paths
        self._record = record
        self._folder = folder
        self._signals = signals
        self._lower = lower
        self._clients = Clients(control.listen(folder.path))
        self._starter = self._clients.adopt(report)
        logging.getLogger().addHandler(_Warnings(self._starter))
        self._log = LogFile(folder_of(paths, record), record.policy)
        self._streams: WorkloadStreams | None = None
        self._session: Session | None = None
        self._health: Health | None = None
        self._was_running = False
        self._shot_by = 0
        self._is_to_end = False
        self._resume_at = 0.0
        self._notes = Notes(paths, record, folder.path, detached=True)

    def run(self) -> None:
        """Keep the container to its end."""
        error: RootlessError | None = None
        try:
            while True:
                began = time.monotonic()
                error = self._run_once()
                status, restarts = self._notes.last.exit_code, self._notes.live.restarts
                is_again = self._record.policy.starts_again(status, restarts)
                if self._is_to_end or not self._was_running or not is_again:
                    break
                self._pause(time.monotonic() - began)
                if self._is_to_end:
                    break
        finally:
            self._end(error)

    def _run_once(self) -> RootlessError | None:
        """Run the container once; note how it ended, and return what kept it from running."""
        error = None
        try:
            self._notes.begin()
            status = self._run_session()
        except RootlessError as failure:
            error, status = failure, failure.exit_status
        except OSError as failure:
            on = str(failure.filename or "")
            error, status = StoreError(failure.strerror or str(failure), on), 125
        if self._shot_by:
            error, status = None, 128 + self._shot_by
        self._notes.finish(status, "" if error is None else str(error))
        return error

    def _run_session(self) -> int:
        container = located(self._paths, self._record).container
        container = replace(container, in_session=False)  # nobody's shell is there
        with contextlib.ExitStack() as owned:
            footing = Footing.open(container, self._paths, self._folder, owned)
            footing = footing.standing_on(self._lower)
            streams = WorkloadStreams(
                terminal=container.spec.process.terminal, interactive=container.interactive
            )
            owned.callback(streams.close)
            self._streams = streams

            def in_child() -> None:
                streams.become_theirs()
                self._clients.close()
                self._log.close()

            session = Session.begin(footing, StreamSetup(in_child), owned)
            streams.close_theirs()
            self._session = session
            self.on_change()
            try:
                status = session.run(self)
                if status < 0 and not self._shot_by:
                    raise cut_off(status)
            finally:
                self._session = None
                if self._health is not None:
                    self._health.close()
                    self._health = None
                session.close()
                for stream, data in streams.drain():
                    self._take_output(stream, data)
                self._streams = None
        return status

    def interests(self) -> Mapping[int, int]:
        """Return what to wait for."""
        streams = self._streams
        takes_input = streams is None or streams.takes_input
        theirs = streams.interests(reads=not self._clients.are_behind) if streams else {}
        own = {self._signals.read_fd: select.POLLIN}
        if self._health is not None:
            own |= self._health.interests()
        return {**own, **self._clients.interests(takes_input=takes_input), **theirs}

    def patience_ms(self) -> int | None:
        """Return how long a pause goes on, or when a health check is due."""
        if self._health is not None:
            return int(self._health.patience_s(time.monotonic()) * 1000) + 1
        if self._session is not None:
            return None
        return max(0, int((self._resume_at - time.monotonic()) * 1000) + 1)

    def serve(self, ready: Mapping[int, int]) -> None:
        """Move output and input, answer other commands."""
        # First, so that who attached before the start misses nothing.
        self._clients.serve(ready, self._answer, self._feed)
        if self._streams is not None:
            for stream, data in self._streams.serve(ready):
                self._take_output(stream, data)
        if self._signals.read_fd in ready and signal.SIGTERM in self._signals.take():
            self._pass_signal(self._record.policy.stop_signal, ends=True)
        if self._health is not None:
            self._health.serve(ready, time.monotonic())
            self._notes.health(self._health.status)
        if not self._was_running and not self._clients.is_connected(self._starter):
            self._shoot(signal.SIGTERM)  # who wanted it has gone before it was there

    def on_console(self, master_fd: int) -> None:
        """Take the container's terminal."""
        if self._streams is not None and self._session is not None:
            self._streams.take_terminal(master_fd)
            self._session.answer_console()

    def on_change(self) -> None:
        """Tell other commands where the container is, and who wanted it that it runs."""
        session = self._session
        if session is None:
            return
        self._notes.processes(session)
        if session.is_running and self._health is None:
            self._health = self._begin_health()
        if session.is_running and not self._was_running:
            self._was_running = True
            self._starter.send({"started": True})

    def _begin_health(self) -> Health | None:
        check = self._record.policy.health
        if check is None:
            return None
        from rootless.containers.exec import start_check  # noqa: PLC0415 - most have no use for it

        def start() -> Started:
            return start_check(self._paths, self._record, self._notes.live, check.command)

        health = Health(check, start, time.monotonic())
        self._notes.health(health.status)
        return health

    def on_stopped(self) -> None:
        """Do nothing: nobody's terminal is to be given back."""

    def on_loss(self, text: str) -> None:
        """Say it in the log, as the command line does on its standard error."""
        self._take_output(control.STDERR, f"rootless: {text}\n".encode())

    def _take_output(self, stream: bytes, data: bytes) -> None:
        self._log.write(_LOG_NAMES[stream], data, time.time_ns())
        self._clients.pass_output(stream, data)
        self._notes.log_error(self._log.error)

    def _feed(self, data: bytes) -> None:
        if self._streams is not None:
            self._streams.feed(data)

    def _answer(self, client: Client, message: Message) -> None:
        try:
            self._obey(client, message)
        except RootlessError as error:
            client.send({"error": error.to_record()})

    def _obey(self, client: Client, message: Message) -> None:
        if "signal" in message:
            self._pass_signal(parse_signal(str(message["signal"])), ends=bool(message.get("ends")))
            client.send({"ok": True})
        elif "attach" in message:
            client.is_attached = True
        elif "size" in message and self._streams is not None:
            rows, columns = (int(number) & 0xFFFF for number in message["size"])
            self._streams.resize(rows, columns)
        elif "wait" in message:
            client.waits = True
        elif "follow" in message:
            client.follows = True
        else:
            raise InvalidInput("the monitor does not understand", ", ".join(message))

    def _pass_signal(self, number: int, *, ends: bool) -> None:
        self._is_to_end = self._is_to_end or ends
        session = self._session
        if session is None or session.signal(number):
            return
        if ends or number in _ENDING:  # nothing runs that could be told
            self._shoot(number)
        else:
            raise Conflict("the container is not running yet", self._record.name)

    def _shoot(self, number: int) -> None:
        self._is_to_end = True
        self._shot_by = int(number)
        if self._session is not None:
            self._session.child.shoot()

    def _pause(self, ran_s: float) -> None:
        """Wait before the next start, the longer the oftener it ended soon."""
        restarts = 0 if ran_s > _LONG_ENOUGH_S else min(self._notes.live.restarts, 16)
        pause_s = min(_FIRST_PAUSE_S * 2**restarts, _LONGEST_PAUSE_S)
        self._notes.pause()
        self._resume_at = time.monotonic() + pause_s
        while time.monotonic() < self._resume_at and not self._is_to_end:
            poll = select.poll()
            for fd, events in self.interests().items():
                poll.register(fd, events)
            self.serve(dict(poll.poll(self.patience_ms())))

    def _end(self, error: RootlessError | None) -> None:
        """Note the end, let go of everything, and then tell who waits for it."""
        self._log.close()
        if self._notes.end():
            self._folder.remove()
        else:
            os.close(self._folder.lock_fd)
        if error is not None and not self._was_running:
            self._starter.send({"error": error.to_record()})  # first: it holds the record's lock
        if self._record.policy.remove:
            with contextlib.suppress(RootlessError):
                remove(self._paths, self._record)
        self._clients.tell_end(self._notes.last.exit_code)
        self._clients.stop_listening()
        self._clients.flush()
        self._clients.close()


def main(arguments: list[str]) -> int:
    """Keep the container whose ID is given; the second word is the descriptor of a connection.

    What keeps the container from running is sent there, and tells the starter's exit status.
    """
    container_id, number = arguments
    return keep(container_id, socket.socket(fileno=int(number)))


def keep(container_id: str, end: socket.socket, lower: "SharedLower | None" = None) -> int:
    """Keep a container, as `main`; a lower of its image that is mounted already may serve it."""
    prctl.set_name("rootless-mon")
    paths = Paths.from_environment()
    try:
        record = read(paths.store / "containers" / container_id)
        with SignalPipe(_TAKEN) as signals:
            folder = RunFolder.create(paths, container_id)
            Monitor(paths, record, folder, end, signals, lower=lower).run()
    except RootlessError as error:
        return _give_up(end, error)
    except Exception as error:  # noqa: BLE001 - nobody would read a traceback
        return _give_up(end, RootlessError(f"internal error: {type(error).__name__}: {error}"))
    return 0


def _give_up(end: socket.socket, error: RootlessError) -> int:
    with contextlib.suppress(OSError):
        end.send(control.packet({"error": error.to_record()}))
    return error.exit_status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
