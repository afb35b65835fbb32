"""One run through the holder, by a process of its own: made, looked after, taken down.

It does what the command line and the supervisor do for an ordinary run, by the same code; only the
workload is not its own descendant, but the client's (`runtime.visitor`). A container can be made
before anybody asks for it: what is not known then is the command, the client, and the time.
"""

import contextlib
import marshal
import os
import select
import signal
import socket
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from rootless import timings
from rootless.containers import control
from rootless.containers.clients import Client, Clients
from rootless.containers.container import OverlayRoot
from rootless.containers.footing import Footing
from rootless.containers.notes import Notes
from rootless.containers.overlay_root import overlay_request
from rootless.containers.record import NEEDS, Record, needs_text, write
from rootless.containers.run_folder import RunFolder
from rootless.containers.supervisor import (
    Resources,
    sandbox_options,
    take_down,
    with_name_files,
)
from rootless.containers.times import now
from rootless.errors import Conflict, RootlessError
from rootless.keeper.plan import Planned
from rootless.linux import mount_api, namespaces
from rootless.linux.channel import Channel, Message
from rootless.linux.process_id import ProcessId, identify, own_id, pid_of
from rootless.linux.terminal import State, restore_if_raw
from rootless.overlay.driver import MountedRoot, mount_root
from rootless.overlay.serve import Server
from rootless.overlay.shared import SharedLower, SharedServer
from rootless.runtime import sandbox

_MOST_BYTES = 65536
_PATIENCE_MS = 1000


@dataclass(frozen=True, slots=True)
class Visit:
    """Who comes.

    Attributes:
        door: The connection to him.
        client: The process that he is.
        stderr: His standard error, which is closed as soon as his command runs.
        tty: The name of his terminal, "" for none.
        args: What he wants to run; None for what the container was made for.
    """

    door: socket.socket
    client: ProcessId
    stderr: int
    tty: str = ""
    args: Sequence[str] | None = None


class Made:
    """A container whose PID 1 waits for a visitor."""

    def __init__(
        self,
        planned: Planned,
        lower: SharedLower,
        owned: contextlib.ExitStack,
        *,
        in_stock: bool = False,
    ) -> None:
        """Make it; `owned` takes it down. Raises RootlessError, OSError."""
        self._planned = planned
        record, container = planned.record, planned.record.container
        name = f".ready-{record.id}" if in_stock else record.id
        self._folder = RunFolder.create(planned.paths, name)
        owned.callback(self._folder.remove)
        self._clients = Clients(control.listen(self._folder.path))
        owned.callback(self._clients.close)
        if not in_stock:
            self._folder.write(NEEDS, needs_text(planned.needs))
        footing = Footing.open(container, planned.paths, self._folder, owned)
        self.has_cgroup = footing.cgroup is not None
        self._control, theirs = Channel.pair()
        owned.callback(self._control.close)
        lower.enter()
        namespaces.unshare(namespaces.CLONE_NEWNS)
        mount_api.mount(None, "/", None, mount_api.MS_REC | mount_api.MS_SLAVE)
        resources = Resources(self._folder, footing.upperdir, theirs, None, footing.cgroup)
        root = container.root
        assert isinstance(root, OverlayRoot)  # noqa: S101 - as planned
        request = overlay_request(container, root, self._folder.path, footing.upperdir)
        mounted = mount_root(request, lower)
        owned.callback(take_down, mounted, resources, is_good=True)
        self._mounted = mounted
        timings.mark("keeper: root mounted")
        self._pid = self._start(mounted, resources)
        self.init_fd = os.pidfd_open(self._pid)
        owned.callback(self._end)
        theirs.close()
        if in_stock:
            self._await_door()

    def _await_door(self) -> None:
        """Wait until PID 1 waits too: from then on no path of the run's folder is used any more."""
        received = self._control.receive()
        if received is not None and "error" in received[0]:
            raise RootlessError.from_record(received[0]["error"])
        if received is None:
            raise RootlessError("PID 1 ended while it made the container")

    def serve(self, visit: Visit) -> None:
        """Let a visitor in, and look after the container until it has gone."""
        record = self._planned.record
        if self._folder.path.name != record.id:
            self._rename(record.id)
            self._folder.write(NEEDS, needs_text(self._planned.needs))
        say_on(visit.stderr)
        self._show_in(visit)
        record = replace(record, created=now())
        if visit.args is not None:
            record = _with_args(record, visit.args)
        write(self._folder.path, record)
        notes = Notes(self._planned.paths, record, self._folder.path, detached=False)
        notes.live = replace(notes.live, runner=visit.client)
        notes.begin()
        init = identify(self._pid)
        keeper = _Keeper(
            visit.door, self._control, self.init_fd, self._mounted.server, notes, record, init
        )
        keeper.serve(self._clients)
        self._end()
        self._rename(f".going-{record.id}")  # nobody takes it for a run any more
        timings.mark("keeper: PID 1 gone")
        _send(visit.door, {"gone": True})
        visit.door.close()

    def _show_in(self, visit: Visit) -> None:
        request = self._planned.request
        also = {"tells_signals": request.job is not None or request.as_caller}
        told = {"door": True, "args": visit.args and list(visit.args), "also": also}
        console = _mount_of(visit.tty) if self._planned.record.container.in_session else []
        self._control.send(told, [visit.door.fileno(), *console])
        for fd in console:
            os.close(fd)

    def _start(self, root: MountedRoot, resources: Resources) -> int:
        container = self._planned.record.container
        options = replace(sandbox_options(container, root, resources), has_visitor=True)
        spec = with_name_files(container, resources.folder)
        return sandbox.start(spec, options, resources.control)

    def _rename(self, name: str) -> None:
        before, path = self._folder.path, self._folder.path.with_name(name)
        before.rename(path)
        self._folder.path = path
        mounts = (each.replace(str(before), str(path)) for each in self._mounted.mounts)
        self._mounted.mounts = tuple(mounts)  # which are to be found again

    def _end(self) -> None:
        """End PID 1 if it has not ended. Idempotent."""
        if self.init_fd >= 0:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self.init_fd, signal.SIGKILL)
            os.waitpid(self._pid, 0)
            os.close(self.init_fd)
            self.init_fd = -1


def run(planned: Planned, lower: SharedLower, visit: Visit) -> None:
    """Make the container for who waits at the door, and look after it until it has gone."""
    with contextlib.ExitStack() as owned:
        Made(planned, lower, owned).serve(visit)


def _with_args(record: Record, args: Sequence[str]) -> Record:
    spec = record.container.spec
    spec = replace(spec, process=replace(spec.process, args=tuple(args)))
    return replace(record, container=replace(record.container, spec=spec))


def say_on(stderr: int) -> None:
    """Say there what was said up to now, and what is said from now on."""
    os.lseek(2, 0, os.SEEK_SET)
    said = os.read(2, _MOST_BYTES)
    os.dup2(stderr, 2)
    os.close(stderr)
    if said:
        os.write(2, said)


def _mount_of(tty: str) -> list[int]:
    """Return a mount of the caller's terminal, to be seen as /dev/console; none where it fails."""
    with contextlib.suppress(OSError):
        if tty:
            return [mount_api.open_tree(tty, recursive=False)]
    return []


def _send(door: socket.socket, message: dict[str, Any]) -> None:
    with contextlib.suppress(OSError):
        door.send(marshal.dumps(message))


@dataclass(slots=True, eq=False)
class _Keeper:
    """Passes messages between the client, PID 1, and other commands, until PID 1 has ended."""

    door: socket.socket
    control: Channel
    init_fd: int
    server: Server | SharedServer
    notes: Notes
    record: Record
    init: ProcessId | None
    supervisor: ProcessId | None = field(default_factory=own_id)
    workload: ProcessId | None = None
    is_running: bool = False
    status: int = 128 + signal.SIGKILL
    is_told: bool = False
    terminal: tuple[State, int] | None = None

    def serve(self, clients: Clients) -> None:
        """Serve until the end of PID 1."""
        self.notes.processes(self)
        open_fds = {self.door.fileno(), self.control.fileno(), self.init_fd, self.server.pidfd}
        while self.init_fd in open_fds:
            poll = select.poll()
            for fd in open_fds:
                poll.register(fd, select.POLLIN)
            for fd, events in clients.interests(takes_input=True).items():
                poll.register(fd, events)
            ready = dict(poll.poll())
            for fd in [fd for fd in open_fds if fd in ready]:
                del ready[fd]
                if not self._serve_one(fd):
                    open_fds.discard(fd)
            clients.serve(ready, self._answer, lambda _: None)
        while self.control.fileno() in open_fds and self._on_control():
            continue  # what PID 1 said last
        if self.door.fileno() in open_fds and not self.is_told:
            poll = select.poll()
            poll.register(self.door, select.POLLIN)
            if poll.poll(_PATIENCE_MS):
                self._on_client()
        self.notes.finish(self.status, "")
        clients.tell_end(self.status)

    def _serve_one(self, fd: int) -> bool:
        """Serve what has something; False where it is served no more."""
        if fd == self.init_fd:
            return False
        if fd == self.server.pidfd:
            text = "the FUSE server ended: files of the image now give I/O errors: "
            self._say(text + self.server.last_words())
            return False
        return self._on_client() if fd == self.door.fileno() else self._on_control()

    def _on_client(self) -> bool:
        data, fds = b"", list[int]()
        with contextlib.suppress(OSError):
            data, fds, _, _ = socket.recv_fds(self.door, _MOST_BYTES, 1)
        if not data:
            if self.terminal is not None and not self.is_told:
                restore_if_raw(*self.terminal)  # he cannot any more
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self.init_fd, signal.SIGKILL)
            return False
        message = marshal.loads(data)  # noqa: S302 - of our own
        if "status" in message:
            self.status, self.is_told = message["status"], True
        elif "signal" in message:
            self.control.send({"signal": message["signal"]})
        elif "terminal" in message and fds:
            self.terminal = message["terminal"], fds[0]
        return True

    def _on_control(self) -> bool:
        received = self.control.receive()
        if received is None:
            return False
        message, fds = received
        if fds and "running" in message:
            self.workload = identify(pid_of(fds[0]))
            os.close(fds[0])
            self.is_running = True
            null = os.open(os.devnull, os.O_RDWR)
            os.dup2(null, 2)  # the caller's, who may wait for its end
            os.close(null)
            self.notes.processes(self)
        elif "error" in message or "stopped" in message:
            _send(self.door, message)
        return True

    def _answer(self, client: Client, message: Message) -> None:
        """Answer another command: it may signal the container and wait for it."""
        number = message.get("signal")
        if "wait" in message:
            client.waits = True
        elif isinstance(number, int) and self.control.send({"signal": number}):
            client.send({"ok": True})
        else:
            what = "the container runs in the foreground of another command"
            client.send({"error": Conflict(what, self.record.name).to_record()})

    def _say(self, text: str) -> None:
        _send(self.door, {"say": f"rootless: {text}\n".encode()})
