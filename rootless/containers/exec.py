"""`rootless exec`: another command in a running container, with the container's own rights."""

import contextlib
import os
import select
import signal
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from rootless.bundle.users import resolve_user
from rootless.containers import ending
from rootless.containers import record as records
from rootless.containers.record import Record
from rootless.containers.run_folder import cgroup_of
from rootless.containers.signal_pipe import SignalPipe
from rootless.containers.status import Live, look, run_folder_of
from rootless.errors import InvalidInput
from rootless.linux import pidfd, terminal
from rootless.linux.openat2 import open_in_root
from rootless.linux.terminal import Terminal
from rootless.oci.runtime_spec import OCI_VERSION, Capabilities, ConsoleSize, Process, User
from rootless.paths import Paths
from rootless.runtime.exec import Place, Running, start_inside
from rootless.runtime.signals import FORWARDED

_FORWARDED = (*FORWARDED, signal.SIGALRM, signal.SIGCONT)
_MOST_PASSWD_BYTES = 16 << 20
_STANDARD_STREAMS = (0, 1, 2)
_USER_FILES = ("/etc/passwd", "/etc/group")


@dataclass(frozen=True, slots=True)
class ExecRequest:
    """What `exec` was asked for.

    Attributes:
        command: Program and arguments.
        env: NAME=VALUE, beside the container's.
        user: USER[:GROUP], names of the container's files or numbers; "" for its own.
        workdir: Absolute path inside; "" for the container's.
        terminal: It gets a terminal.
        interactive: Standard input is passed.
        detach: Do not wait for it.
        privileged: It has every capability in the user namespace, and no seccomp filter.
    """

    command: tuple[str, ...]
    env: tuple[str, ...] = ()
    user: str = ""
    workdir: str = ""
    terminal: bool = False
    interactive: bool = False
    detach: bool = False
    privileged: bool = False


def execute(word: str, request: ExecRequest) -> int:
    """Run a command in a container; return its status, 0 where it is detached.

    Raises:
        NotFound: No such container.
        Conflict: It does not run.
        CannotExecute, CommandNotFound: The command is not there, or is no program.
    """
    paths = Paths.from_environment()
    record = records.find(paths, word)
    live = look(paths, record).live
    if live is None or live.workload is None:
        raise ending.not_running(record)
    process = process_of(record, request, live.workload.pid)
    place = _place(paths, record, live)
    if request.privileged:
        process = _privileged(process)
        place = replace(place, linux=replace(place.linux, seccomp=None))
    with SignalPipe((*_FORWARDED, signal.SIGWINCH)) as signals, contextlib.ExitStack() as owned:
        streams = (0,) if not request.detach else _STANDARD_STREAMS
        if request.detach or not request.interactive:
            owned.enter_context(_without(streams))
        saved = terminal.state() if request.terminal else None
        running = start_inside(place, process)
        owned.callback(running.close)
        if request.detach:
            return running.leave()
        return _Attended(running, request, signals, saved).run()


def start_check(paths: Paths, record: Record, live: Live, command: tuple[str, ...]) -> Running:
    """Start a command in a container that the caller keeps, without streams."""
    assert live.workload is not None  # noqa: S101 - the caller has been told that it runs
    process = process_of(record, ExecRequest(command), live.workload.pid)
    return start_inside(_place(paths, record, live), process)


def process_of(record: Record, request: ExecRequest, pid: int) -> Process:
    """Return the process to run; raises InvalidInput."""
    own = record.container.spec.process
    if request.workdir and not request.workdir.startswith("/"):
        raise InvalidInput("--workdir must be an absolute path", request.workdir)
    variables = {name: value for name, _, value in (each.partition("=") for each in own.env)}
    if request.terminal:
        variables.setdefault("TERM", "xterm")
    user, capabilities = own.user, own.capabilities
    if request.user:
        passwd, group = (_read_inside(pid, name) for name in _USER_FILES)
        found = resolve_user(request.user, passwd, group)
        groups = found.additional_gids
        to_outside = record.container.maps.gid.to_outside
        mapped = tuple(gid for gid in groups if to_outside(gid) is not None)
        user = User(found.uid, found.gid, mapped, own.user.umask)
        capabilities = _capabilities_for(own.capabilities, root=found.uid == 0)
        variables["HOME"] = found.home
    variables |= {name: value for name, _, value in (each.partition("=") for each in request.env)}
    return replace(
        own,
        args=request.command,
        env=tuple(f"{name}={value}" for name, value in variables.items()),
        cwd=request.workdir or own.cwd,
        user=user,
        capabilities=capabilities,
        terminal=request.terminal,
        console_size=_console_size() if request.terminal else None,
    )


def _privileged(process: Process) -> Process:
    from rootless.bundle.default_spec import capability_sets  # noqa: PLC0415 - few ask for it

    sets = capability_sets(("ALL",), root=process.user.uid == 0)
    return replace(process, capabilities=sets, no_new_privileges=False)


def _capabilities_for(own: Capabilities | None, *, root: bool) -> Capabilities | None:
    """Return the sets of another user: root has what the container may have, others nothing."""
    if own is None:
        return None
    held = own.bounding if root else ()
    return Capabilities(bounding=own.bounding, effective=held, permitted=held)


def _read_inside(pid: int, path: str) -> bytes | None:
    """Return a small file of the container as it is now, links followed inside its root."""
    with contextlib.ExitStack() as owned:
        try:
            root_fd = os.open(f"/proc/{pid}/root", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
            owned.callback(os.close, root_fd)
            # not to wait for a FIFO that stands in its place
            fd = open_in_root(root_fd, path, os.O_RDONLY | os.O_NONBLOCK)
            owned.callback(os.close, fd)
            return os.read(fd, _MOST_PASSWD_BYTES)
        except OSError:
            return None


def _place(paths: Paths, record: Record, live: Live) -> Place:
    assert live.workload is not None  # noqa: S101 - asked by the caller
    spec = record.container.spec
    state = {
        "ociVersion": OCI_VERSION,
        "id": record.id,
        "status": "running",
        "pid": live.workload.pid,
        "bundle": "",
        "annotations": dict(spec.annotations),
    }
    return Place(
        live.workload.pid,
        live.workload.started,
        spec.linux,
        cgroup_of(run_folder_of(paths, record.id)),
        state,
    )


def _console_size() -> ConsoleSize | None:
    for fd in _STANDARD_STREAMS:
        with contextlib.suppress(OSError):
            size = os.get_terminal_size(fd)
            return ConsoleSize(height=size.lines, width=size.columns)
    return None


@contextlib.contextmanager
def _without(streams: Sequence[int]) -> Iterator[None]:
    """Have /dev/null in place of standard streams while a process is started."""
    null = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
    kept = {fd: os.dup(fd) for fd in streams}
    try:
        for fd in streams:
            os.dup2(null, fd)
        yield
    finally:
        for fd, before in kept.items():
            os.dup2(before, fd)
            os.close(before)
        os.close(null)


class _Attended:
    """A command in a container, with its caller's terminal or streams."""

    def __init__(
        self,
        running: Running,
        request: ExecRequest,
        signals: SignalPipe,
        saved: terminal.State | None,
    ) -> None:
        self._running = running
        self._signals = signals
        self._terminal: Terminal | None = None
        if running.master_fd >= 0:
            master_fd = os.dup(running.master_fd)
            self._terminal = Terminal(master_fd, interactive=request.interactive, saved=saved)

    def run(self) -> int:
        """Pass everything until it has ended; return its status."""
        try:
            while not self._serve_once():
                continue
            while self._terminal is not None and self._terminal.drain():
                self._serve_once()
        except BrokenPipeError:  # the reader of our output has gone
            pidfd.send_signal(self._running.pidfd, signal.SIGHUP)
            return 128 + signal.SIGPIPE
        finally:
            if self._terminal is not None:
                self._terminal.close()
        return self._running.wait()

    def _serve_once(self) -> bool:
        """Wait for something, and serve it; tell whether the command has ended."""
        theirs: Mapping[int, int] = self._terminal.interests() if self._terminal else {}
        poll = select.poll()
        poll.register(self._running.pidfd, select.POLLIN)
        poll.register(self._signals.read_fd, select.POLLIN)
        for fd, events in theirs.items():
            poll.register(fd, events)
        ready = dict(poll.poll())
        if self._terminal is not None:
            for fd in [fd for fd in theirs if fd in ready]:
                self._terminal.serve(fd)
        if self._signals.read_fd in ready:
            for number in self._signals.take():
                if number != signal.SIGWINCH:
                    pidfd.send_signal(self._running.pidfd, number)
                elif self._terminal is not None:
                    self._terminal.fit()
        return self._running.pidfd in ready
