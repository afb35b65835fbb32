"""`rootless run` in the foreground, seen from the process that the user started.

It forks the supervisor into the user namespace, then passes on signals, the terminal and news,
until the supervisor ends with the container's status.
"""

import contextlib
import logging
import os
import select
import signal
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Self

from rootless.containers import terminal
from rootless.containers.container import Container, OverlayRoot
from rootless.containers.run_folder import RunFolder, remove_owned_by_container
from rootless.containers.supervisor import Resources, supervise
from rootless.containers.terminal import State, Terminal
from rootless.errors import OverlayError, RootlessError
from rootless.linux.channel import Channel, Message
from rootless.overlay.upperdir import Upperdir, choose_folder, open_upperdir
from rootless.paths import Paths
from rootless.runtime import namespaces
from rootless.userns.create import Child, fork_into

log = logging.getLogger(__name__)

_FORWARDED = (
    signal.SIGHUP,
    signal.SIGINT,
    signal.SIGQUIT,
    signal.SIGTERM,
    signal.SIGUSR1,
    signal.SIGUSR2,
    signal.SIGALRM,
)
_ENDING = (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM)
_PATIENCE_MS = 5000


def run(container: Container, paths: Paths) -> int:
    """Run a container to its end; return its exit status. Raises what kept it from starting."""
    # Before anything is made, so that no signal comes between the making and the clean-up.
    with _SignalPipe() as signals, contextlib.ExitStack() as clean_up:
        folder = RunFolder.create(paths, container.id)
        clean_up.callback(folder.remove)
        upperdir = _open_upperdir(container, paths)
        if upperdir is not None:
            clean_up.callback(_remove_ephemeral, upperdir)
        saved = terminal.state() if container.spec.process.terminal else None
        ours, theirs = Channel.pair()
        clean_up.callback(ours.close)
        clean_up.callback(theirs.close)

        inside = container

        def before() -> None:
            nonlocal inside
            inside = replace(container, spec=namespaces.join_outer(container.spec))

        def body(channel: Channel) -> int:
            ours.close()
            resources = Resources(folder, upperdir, theirs, saved)
            return supervise(inside, resources, channel)

        joins_user = namespaces.user_path(container.spec) != ""
        child = fork_into(None if joins_user else container.maps, body, before=before)
        theirs.close()
        return _Session(container, child, ours, signals, saved).run()


def _open_upperdir(container: Container, paths: Paths) -> Upperdir | None:
    root = container.root
    if not isinstance(root, OverlayRoot):
        return None
    if root.kept is not None:
        return open_upperdir(root.kept, ephemeral=False)
    if container.spec.root_readonly:
        return None  # only mount points are made in it
    shared_tmp = Path(os.environ.get("TMPDIR", "/var/tmp"))  # noqa: S108 - a folder of one's own
    folder = choose_folder((paths.scratch, shared_tmp / f"rootless-{os.getuid()}" / "scratch"))
    if folder is None:
        log.info("no file system for an upperdir: writes go to memory")
        return None
    return open_upperdir(folder / container.id, ephemeral=True)


def _remove_ephemeral(upperdir: Upperdir) -> None:
    """Remove what a supervisor that was killed could not."""
    if upperdir.ephemeral and upperdir.path.exists():
        remove_owned_by_container([upperdir.path])
    upperdir.close()


class _SignalPipe:
    """Signals as bytes on a pipe, so that poll(2) waits for them; the handlers are put back."""

    def __init__(self) -> None:
        self.read_fd, self._write_fd = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._before: dict[signal.Signals, object] = {}

    def __enter__(self) -> Self:
        for number in (*_FORWARDED, signal.SIGWINCH, signal.SIGTSTP, signal.SIGCONT):
            if signal.getsignal(number) is not signal.SIG_IGN:  # nohup(1) stays in force
                self._before[number] = signal.signal(number, lambda _number, _frame: None)
        signal.set_wakeup_fd(self._write_fd, warn_on_full_buffer=False)
        return self

    def __exit__(self, *_: object) -> None:
        signal.set_wakeup_fd(-1)
        for number, handler in self._before.items():
            signal.signal(number, handler)  # type: ignore[arg-type]
        os.close(self.read_fd)
        os.close(self._write_fd)

    def take(self) -> Iterator[signal.Signals]:
        """Yield the signals that have come."""
        with contextlib.suppress(BlockingIOError):
            for number in os.read(self.read_fd, 512):
                yield signal.Signals(number)


class _Session:
    """One run, from the fork of the supervisor to its end."""

    def __init__(
        self,
        container: Container,
        child: Child,
        control: Channel,
        signals: _SignalPipe,
        saved: State | None,
    ) -> None:
        self._container = container
        self._child = child
        self._control = control
        self._signals = signals
        self._saved = saved
        self._terminal: Terminal | None = None
        self._started = False
        self._init_fd = -1
        self._ended_by: signal.Signals | None = None
        self._error: RootlessError | None = None
        self._open = {child.channel.fileno(): child.channel, control.fileno(): control}

    def run(self) -> int:
        """Pass everything on until the supervisor has ended; return its status."""
        supervisor_fd = self._child.channel.fileno()
        try:
            while supervisor_fd in self._open:
                self._serve_once()
            status = self._child.wait()
            while self._ended_by is None and self._output_waits():
                self._serve_once()
        except BrokenPipeError:  # the reader of our output has gone
            self._child.kill()
            return 128 + signal.SIGPIPE
        except BaseException:
            self._child.kill()
            raise
        finally:
            self._close()
        if self._ended_by is not None:
            return 128 + self._ended_by
        if self._error is not None:
            raise self._error
        if status < 0:
            raise RootlessError(
                "the run was cut off: its supervisor was killed", signal.Signals(-status).name
            )
        return status

    def _close(self) -> None:
        """Put the terminal back; wait for the container's processes: their files go next."""
        if self._terminal is not None:
            self._terminal.close()
        if self._init_fd >= 0:
            poll = select.poll()
            poll.register(self._init_fd, select.POLLIN)
            poll.poll(_PATIENCE_MS)
            os.close(self._init_fd)

    def _output_waits(self) -> bool:
        """Move the ended container's output on; tell whether some waits for its reader."""
        if self._terminal is None:
            return False
        while self._terminal.move_output():
            if self._terminal.output_waits:
                return True
        return False

    def _serve_once(self) -> None:
        poll = select.poll()
        poll.register(self._signals.read_fd, select.POLLIN)
        for fd in self._open:
            poll.register(fd, select.POLLIN)
        if self._terminal is not None:
            for fd, events in self._terminal.interests().items():
                poll.register(fd, events)
        ready = [fd for fd, _ in poll.poll()]
        for fd in ready:
            if fd in self._open:
                self._on_message(fd)
            elif fd != self._signals.read_fd and self._terminal is not None:
                self._terminal.serve(fd)
        if self._signals.read_fd in ready:  # last: they are the workload's if it has started
            for number in self._signals.take():
                self._on_signal(number)

    def _on_signal(self, number: signal.Signals) -> None:
        if number == signal.SIGWINCH:
            if self._terminal is not None:
                self._terminal.fit()
        elif self._started and not self._child.is_reaped:
            # The workload's group is an orphaned one: only SIGSTOP stops it (setpgid(2)).
            told = signal.SIGSTOP if number == signal.SIGTSTP else number
            self._control.send({"signal": int(told)})
        elif number == signal.SIGTSTP:
            self._stop()
        elif number in _ENDING:  # nothing runs that could be told
            self._ended_by = number
            self._child.shoot()

    def _stop(self) -> None:
        """Stop this process until a shell's fg or bg.

        The workload is stopped by now: it would read what is typed for the shell.
        """
        if self._terminal is not None:
            self._terminal.suspend()
        os.kill(os.getpid(), signal.SIGSTOP)
        if self._terminal is not None:
            self._terminal.resume()

    def _on_message(self, fd: int) -> None:
        received = self._open[fd].receive()
        if received is None:
            del self._open[fd]
            return
        message, fds = received
        if fds and message.get("console"):
            self._on_console(fds[0])
        elif fds and message.get("init"):
            self._init_fd = fds[0]
        else:
            self._on_news(message)

    def _on_console(self, master_fd: int) -> None:
        self._terminal = Terminal(
            master_fd, interactive=self._container.interactive, saved=self._saved
        )
        self._control.send({"console": True})

    def _on_news(self, message: Message) -> None:
        if "error" in message:
            self._error = self._error or RootlessError.from_record(message["error"])
        elif "started" in message:
            self._started = True
        elif "stopped" in message:
            self._stop()
        elif "server_died" in message:
            error = OverlayError(
                "the FUSE server ended: files of the image now give I/O errors",
                str(message["server_died"]),
            )
            if not self._started:  # what else fails now fails by this
                self._error = error
                return
            sys.stderr.write(f"rootless: {error}\r\n" if self._terminal else f"rootless: {error}\n")
            sys.stderr.flush()
