"""`rootless run` in the foreground, seen from the process that the user started.

It forks the supervisor into the user namespace, then passes on signals, the terminal and news,
until the supervisor ends with the container's status.
"""

import contextlib
import os
import select
import signal
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rootless import timings
from rootless.containers import control
from rootless.containers.clients import Client, Clients
from rootless.containers.container import Container
from rootless.containers.footing import Footing
from rootless.containers.id_files import write_pidfile
from rootless.containers.notes import Notes
from rootless.containers.record import NEEDS, Record, needs_text, write
from rootless.containers.run_folder import RunFolder
from rootless.containers.session import Session, StreamSetup, cut_off
from rootless.containers.signal_pipe import SignalPipe
from rootless.errors import Conflict, RootlessError
from rootless.holder import start
from rootless.linux import terminal
from rootless.linux.channel import Message
from rootless.linux.terminal import State, Terminal
from rootless.paths import Paths
from rootless.runtime.signals import FORWARDED
from rootless.settings import keep_alive

if TYPE_CHECKING:
    from rootless.linux.job import GroupSignals

_FORWARDED = (*FORWARDED, signal.SIGALRM)
_TAKEN = (*_FORWARDED, signal.SIGWINCH, signal.SIGTSTP, signal.SIGCONT)
_ENDING = (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM)


@dataclass(frozen=True, slots=True)
class Ways:
    """How the caller wants it.

    Attributes:
        pidfile: Gets the workload's process ID; "" for none.
        passed_fds: Descriptors of his that the workload gets.
        tells_signals: A workload that signal N ends makes the status -N, and not 128+N.
    """

    pidfile: str = ""
    passed_fds: tuple[int, ...] = ()
    tells_signals: bool = False


def run(record: Record, paths: Paths, *, ways: Ways, needs: tuple[str, ...] = ()) -> int:
    """Run a container to its end; return its exit status. Raises what kept it from starting.

    Args:
        record: The container.
        paths: Where things lie.
        ways: How the caller wants it.
        needs: What the store must not collect while it runs, of one that the store does not know.
    """
    # Before anything is made, so that no signal comes between the making and the clean-up.
    container = record.container
    with _signals(container) as signals, contextlib.ExitStack() as owned:
        folder = RunFolder.create(paths, record.id)
        owned.callback(folder.remove)
        clients = Clients(control.listen(folder.path))
        owned.callback(clients.close)
        if not record.kept:
            folder.write(NEEDS, needs_text(needs))
            write(folder.path, record)
        footing = Footing.open(container, paths, folder, owned)
        timings.mark("run folder, upperdir and cgroup")
        saved = terminal.state() if container.spec.process.terminal else None
        notes = Notes(paths, record, folder.path, detached=False)
        notes.begin()
        status, error = 0, ""
        try:
            setup = StreamSetup(clients.close, saved, ways.passed_fds)
            session = Session.begin(footing, setup, owned)
            timings.mark("user namespace and ID map")
            front = _Foreground(
                *(record, session, notes, clients),
                signals=signals,
                saved=saved,
                pidfile=ways.pidfile,
            )
            status = front.run()
            if ways.tells_signals and session.killed_by and status == 128 + session.killed_by:
                return -session.killed_by
        except RootlessError as failure:
            status = _asked_to_end(signals)  # newuidmap has a terminal's Ctrl-C too, and ends by it
            if not status:
                status, error = failure.exit_status, str(failure)
                raise
        finally:
            notes.finish(status, error)
            notes.end()
            clients.tell_end(status)
            timings.mark("supervisor gone")
        return status


def _signals(container: Container) -> "SignalPipe | GroupSignals":
    if not container.in_session:
        return SignalPipe(_TAKEN)
    from rootless.linux.job import GroupSignals  # noqa: PLC0415 - most have their own session

    return GroupSignals(_TAKEN)


def _asked_to_end(signals: "SignalPipe | GroupSignals") -> int:
    """Return the status for a signal that has come and ends a run; 0 where none has."""
    return next((128 + int(number) for number in signals.take() if number in _ENDING), 0)


class _Foreground:
    """The front of a container that has the caller's terminal, or his standard streams."""

    def __init__(
        self,
        record: Record,
        session: Session,
        notes: Notes,
        clients: Clients,
        *,
        signals: "SignalPipe | GroupSignals",
        saved: State | None,
        pidfile: str,
    ) -> None:
        self._record = record
        self._session = session
        self._notes = notes
        self._clients = clients
        self._pidfile = pidfile
        self._signals = signals
        self._saved = saved
        self._terminal: Terminal | None = None
        self._ended_by: int | None = None

    def run(self) -> int:
        """Pass everything on until the supervisor has ended; return its status."""
        self.on_change()
        try:
            status = self._session.run(self)
            while self._ended_by is None and self._output_waits():
                self._session.serve_once(self)
        except BrokenPipeError:  # the reader of our output has gone
            return 128 + signal.SIGPIPE
        except RootlessError:
            if self._ended_by is None:
                raise
        finally:
            if self._terminal is not None:
                self._terminal.close()  # puts the caller's back
            self._session.close()
        if self._ended_by is not None:
            return 128 + self._ended_by
        if status < 0:
            raise cut_off(status)
        return status

    def interests(self) -> Mapping[int, int]:
        """Return what to wait for."""
        theirs = self._terminal.interests() if self._terminal is not None else {}
        commands = self._clients.interests(takes_input=True)
        return {self._signals.read_fd: select.POLLIN, **commands, **theirs}

    def patience_ms(self) -> int | None:
        """Return None: nothing is to be done without an event."""
        return None

    def serve(self, ready: Mapping[int, int]) -> None:
        """Move bytes, pass signals on."""
        if self._terminal is not None:
            for fd in [fd for fd in self._terminal.interests() if fd in ready]:
                self._terminal.serve(fd)
        self._clients.serve(ready, self._answer, lambda _: None)
        if self._signals.read_fd in ready:  # last: they are the workload's if it has started
            if not isinstance(self._signals, SignalPipe):
                self._signals.is_shared = self._session.is_started
            for number in self._signals.take():
                self._on_signal(number)

    def on_console(self, master_fd: int) -> None:
        """Take the container's terminal and the caller's."""
        self._terminal = Terminal(
            master_fd, interactive=self._record.container.interactive, saved=self._saved
        )
        self._session.answer_console()

    def on_change(self) -> None:
        """Tell other commands where the container is."""
        self._notes.processes(self._session)
        workload_pid = self._session.workload_pid
        if self._session.is_running and start.is_wanted():
            with contextlib.suppress(OSError, RootlessError):  # it is of no use to this run
                start.offer(keep_alive(self._notes.paths))
        if self._pidfile and workload_pid:
            write_pidfile(self._pidfile, workload_pid)

    def on_stopped(self) -> None:
        """Stop this process until a shell's fg or bg.

        The workload is stopped by now: it would read what is typed for the shell.
        """
        if not isinstance(self._signals, SignalPipe):
            from rootless.containers.job import stop_as_job  # noqa: PLC0415 - as above

            stop_as_job(self._session.workload)
            return
        if self._terminal is not None:
            self._terminal.suspend()
        os.kill(os.getpid(), signal.SIGSTOP)
        if self._terminal is not None:
            self._terminal.resume()

    def on_loss(self, text: str) -> None:
        """Say so."""
        sys.stderr.write(f"rootless: {text}\r\n" if self._terminal else f"rootless: {text}\n")
        sys.stderr.flush()

    def _answer(self, client: Client, message: Message) -> None:
        """Answer another command: it may signal the container and wait for it."""
        number = message.get("signal")
        if "wait" in message:
            client.waits = True
        elif isinstance(number, int) and self._session.signal(number):
            client.send({"ok": True})
        elif isinstance(number, int) and (
            message.get("ends") or number in (*_ENDING, signal.SIGKILL)
        ):
            self._end_unstarted(number)
            client.send({"ok": True})
        else:
            what = "the container runs in the foreground of another command"
            client.send({"error": Conflict(what, self._record.name).to_record()})

    def _output_waits(self) -> bool:
        """Move the ended container's output on; tell whether some waits for its reader."""
        return self._terminal is not None and self._terminal.drain()

    def _on_signal(self, number: int) -> None:
        if number == signal.SIGWINCH:
            if self._terminal is not None:
                self._terminal.fit()
            return
        # The workload's group is an orphaned one: only SIGSTOP stops it (setpgid(2)).
        is_orphan = isinstance(self._signals, SignalPipe)
        told = signal.SIGSTOP if number == signal.SIGTSTP and is_orphan else number
        if self._session.signal(told):
            return
        if number == signal.SIGTSTP:
            self.on_stopped()
        elif number in _ENDING:  # nothing runs that could be told
            self._end_unstarted(number)

    def _end_unstarted(self, number: int) -> None:
        self._ended_by = int(number)
        self._session.child.shoot()
