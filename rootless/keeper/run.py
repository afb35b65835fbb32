"""One run through the holder, by a process of its own: made, looked after, taken down.

It does what the command line and the supervisor do for an ordinary run, by the same code; only the
workload is not its own descendant, but the client's (`runtime.visitor`).
"""

import contextlib
import marshal
import os
import select
import signal
import socket
from dataclasses import dataclass, field, replace
from typing import Any

from rootless import timings
from rootless.containers import control
from rootless.containers.clients import Client, Clients
from rootless.containers.container import Container, OverlayRoot
from rootless.containers.footing import Footing
from rootless.containers.notes import Notes
from rootless.containers.overlay_root import overlay_request
from rootless.containers.record import NEEDS, Record, needs_text, write
from rootless.containers.run_folder import RunFolder
from rootless.containers.supervisor import Resources, take_down, with_name_files
from rootless.errors import Conflict
from rootless.keeper.plan import Planned
from rootless.linux import mount_api, namespaces
from rootless.linux.channel import Channel, Message
from rootless.linux.process_id import ProcessId, identify, own_id, pid_of
from rootless.overlay.driver import MountedRoot, mount_root
from rootless.overlay.serve import Server
from rootless.overlay.shared import SharedLower, SharedServer
from rootless.runtime import sandbox

_MOST_BYTES = 65536
_PATIENCE_MS = 1000


def run(
    door: socket.socket, planned: Planned, lower: SharedLower, client: ProcessId, stderr: int
) -> None:
    """Make the container for who waits at the door, and look after it until it has gone.

    What is said is told on his standard error, which is closed as soon as his command runs.
    """
    record, paths = planned.record, planned.paths
    container = record.container
    with contextlib.ExitStack() as owned:
        folder = RunFolder.create(paths, record.id)
        owned.callback(folder.remove)
        clients = Clients(control.listen(folder.path))
        owned.callback(clients.close)
        folder.write(NEEDS, needs_text(planned.needs))
        footing = Footing.open(container, paths, folder, owned)
        ours, theirs = Channel.pair()
        owned.callback(ours.close)
        timings.mark("keeper: footing")
        lower.enter()
        namespaces.unshare(namespaces.CLONE_NEWNS)
        mount_api.mount(None, "/", None, mount_api.MS_REC | mount_api.MS_SLAVE)
        resources = Resources(folder, footing.upperdir, theirs, None, footing.cgroup)
        timings.mark("keeper: entered")
        root = _mount(container, resources, lower)
        timings.mark("keeper: root mounted")
        speak_on(stderr)
        try:
            pid = _start(container, resources, root, door, client)
            timings.mark("keeper: PID 1 forked")
            init_fd = os.pidfd_open(pid)
            theirs.close()
            write(folder.path, record)
            notes = Notes(paths, record, folder.path, detached=False)
            notes.live = replace(notes.live, runner=client)
            notes.begin()
            init = identify(pid)
            _Keeper(door, ours, init_fd, root.server, notes, clients, record, init).serve()
            os.waitpid(pid, 0)
            timings.mark("keeper: PID 1 gone")
            gone = folder.path.with_name(f".going-{record.id}")
            folder.path.rename(gone)  # nobody takes it for a run any more
            folder.path = gone
            _send(door, {"gone": True})
            door.close()
        finally:
            take_down(root, resources, is_good=True)


def speak_on(stderr: int) -> None:
    """Say there what was said up to now, and what is said from now on."""
    os.lseek(2, 0, os.SEEK_SET)
    said = os.read(2, _MOST_BYTES)
    os.dup2(stderr, 2)
    os.close(stderr)
    if said:
        os.write(2, said)


def _mount(container: Container, resources: Resources, lower: SharedLower) -> MountedRoot:
    root = container.root
    assert isinstance(root, OverlayRoot)  # noqa: S101 - as planned
    request = overlay_request(container, root, resources.folder.path, resources.upperdir)
    return mount_root(request, lower)


def _start(
    container: Container,
    resources: Resources,
    root: MountedRoot,
    door: socket.socket,
    client: ProcessId,
) -> int:
    options = sandbox.SandboxOptions(
        rootfs=str(root.path),
        set_groups=container.maps.allows_setgroups and not container.keep_groups,
        close_stdin=not container.interactive,
        devices=container.devices,
        door=door,
        caller=client.pid,
        cgroup_fd=-1 if resources.cgroup is None else resources.cgroup.procs_fd(),
        seccomp=container.seccomp,
    )
    return sandbox.start(with_name_files(container, resources.folder), options, resources.control)


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
    clients: Clients
    record: Record
    init: ProcessId | None
    supervisor: ProcessId | None = field(default_factory=own_id)
    workload: ProcessId | None = None
    is_running: bool = False
    status: int = 128 + signal.SIGKILL
    is_told: bool = False

    def serve(self) -> None:
        """Serve until the end of PID 1."""
        self.notes.processes(self)
        open_fds = {self.door.fileno(), self.control.fileno(), self.init_fd, self.server.pidfd}
        while self.init_fd in open_fds:
            poll = select.poll()
            for fd in open_fds:
                poll.register(fd, select.POLLIN)
            for fd, events in self.clients.interests(takes_input=True).items():
                poll.register(fd, events)
            ready = dict(poll.poll())
            for fd in [fd for fd in open_fds if fd in ready]:
                del ready[fd]
                if not self._serve_one(fd):
                    open_fds.discard(fd)
            self.clients.serve(ready, self._answer, lambda _: None)
        while self.control.fileno() in open_fds and self._on_control():
            continue  # what PID 1 said last
        if self.door.fileno() in open_fds and not self.is_told:
            poll = select.poll()
            poll.register(self.door, select.POLLIN)
            if poll.poll(_PATIENCE_MS):
                self._on_client()
        self.notes.finish(self.status, "")
        self.clients.tell_end(self.status)

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
        data = b""
        with contextlib.suppress(OSError):
            data = self.door.recv(_MOST_BYTES)
        if not data:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self.init_fd, signal.SIGKILL)
            return False
        message = marshal.loads(data)  # noqa: S302 - of our own
        if "status" in message:
            self.status, self.is_told = message["status"], True
        elif "signal" in message:
            self.control.send({"signal": message["signal"]})
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
