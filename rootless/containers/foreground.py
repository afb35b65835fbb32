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


def run(container: Container, paths: Paths) -> int:
    """Run a container to its end; return its exit status. Raises what kept it from starting."""
    upperdir = _open_upperdir(container, paths)
    folder = RunFolder.create(paths, container.id)
    saved = terminal.state() if container.spec.process.terminal else None
    with _SignalPipe() as signals:
        ours, theirs = Channel.pair()

        def body(channel: Channel) -> int:
            signals.reset()
            ours.close()
            resources = Resources(folder, upperdir, theirs, saved)
            return supervise(container, resources, channel)

        try:
            child = fork_into(container.maps, body)
            theirs.close()
            return _Session(container, child, ours, signals, saved).run()
        finally:
            theirs.close()
            ours.close()
            _clean_up(folder, upperdir)


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


def _clean_up(folder: RunFolder, upperdir: Upperdir | None) -> None:
    """Remove what a supervisor that was killed could not."""
    folder.remove()
    if upperdir is not None:
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
        self.reset()
        os.close(self.read_fd)
        os.close(self._write_fd)

    def reset(self) -> None:
        """Put the handlers back, here or in a forked child."""
        signal.set_wakeup_fd(-1)
        for number, handler in self._before.items():
            signal.signal(number, handler)  # type: ignore[arg-type]
        self._before = {}

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
        self._ended_by: signal.Signals | None = None
        self._error: RootlessError | None = None
        self._open = {child.channel.fileno(): child.channel, control.fileno(): control}

    def run(self) -> int:
        """Pass everything on until the supervisor has ended; return its status."""
        supervisor_fd = self._child.channel.fileno()
        try:
            while supervisor_fd in self._open:
                for fd in self._wait():
                    self._serve(fd)
            status = self._child.wait()
        except BaseException:
            self._child.kill()
            raise
        finally:
            if self._terminal is not None:
                while self._terminal.has_output and self._terminal.pass_output():
                    continue
                self._terminal.close()
        if self._ended_by is not None:
            return 128 + self._ended_by
        if self._error is not None:
            raise self._error
        return status

    def _wait(self) -> list[int]:
        poll = select.poll()
        poll.register(self._signals.read_fd, select.POLLIN)
        for fd in self._open:
            poll.register(fd, select.POLLIN)
        terminal_ = self._terminal
        if terminal_ is not None:
            wanted = (select.POLLIN if terminal_.has_output else 0) | (
                select.POLLOUT if terminal_.wants_to_write else 0
            )
            if wanted:
                poll.register(terminal_.master_fd, wanted)
            if terminal_.wants_input:
                poll.register(0, select.POLLIN)
        return [fd for fd, _ in poll.poll()]

    def _serve(self, fd: int) -> None:
        if fd == self._signals.read_fd:
            for number in self._signals.take():
                self._on_signal(number)
        elif fd in self._open:
            self._on_message(fd)
        elif self._terminal is not None:
            if fd == 0:
                self._terminal.take_input()
            elif fd == self._terminal.master_fd:
                if self._terminal.wants_to_write:
                    self._terminal.pass_input()
                self._terminal.pass_output()

    def _on_signal(self, number: signal.Signals) -> None:
        if number == signal.SIGWINCH:
            if self._terminal is not None:
                self._terminal.fit()
        elif not self._started:
            if number in _ENDING:  # nothing runs yet that could be told
                self._ended_by = number
                self._child.channel.shut_down()
                signal.pidfd_send_signal(self._child.pidfd, signal.SIGKILL)
        elif number == signal.SIGTSTP:
            # The workload's group is an orphaned one: only SIGSTOP stops it (setpgid(2)).
            self._control.send({"signal": int(signal.SIGSTOP)})
            os.kill(os.getpid(), signal.SIGSTOP)
        else:
            self._control.send({"signal": int(number)})

    def _on_message(self, fd: int) -> None:
        received = self._open[fd].receive()
        if received is None:
            del self._open[fd]
            return
        message, fds = received
        if fds and message.get("console"):
            self._on_console(fds[0])
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
        elif "server_died" in message:
            error = OverlayError(
                "the FUSE server ended: files of the image now give I/O errors",
                str(message["server_died"]),
            )
            sys.stderr.write(f"rootless: {error}\r\n" if self._terminal else f"rootless: {error}\n")
            sys.stderr.flush()
