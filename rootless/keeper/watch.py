"""What a keeper does while its container lives, in the place of a command line and a supervisor."""

import contextlib
import marshal
import os
import select
import signal
import socket
from dataclasses import dataclass, field
from typing import Any

from rootless.containers.clients import Client, Clients
from rootless.containers.id_files import write_pidfile
from rootless.containers.network.forwarder import Forwarder
from rootless.containers.notes import Notes
from rootless.containers.record import Record
from rootless.containers.shared_pids import SharedPids
from rootless.errors import Conflict, RootlessError
from rootless.linux.channel import Channel, Message
from rootless.linux.process_id import ProcessId, identify, own_id, pid_of
from rootless.linux.terminal import State, restore_if_raw
from rootless.overlay.serve import Server
from rootless.overlay.shared import SharedServer

_MOST_BYTES = 65536
_PATIENCE_MS = 1000


def send(door: socket.socket, message: dict[str, Any]) -> None:
    """Tell a client something, if he is there."""
    with contextlib.suppress(OSError):
        door.send(marshal.dumps(message))


@dataclass(slots=True, eq=False)
class Watch:
    """Passes messages between the client, PID 1, and other commands, until PID 1 has ended.

    Attributes:
        workload: What it runs; None where it had ended before it was looked at.
        workload_pid: Its process ID, which the client tells at its end; 0 while it is not known.
        pidfile: Gets it; "" for none, and when it has it.
        forwarder: Carries the packets of a network of the container's own.
        shared: The processes of a container that has the host's PID namespace.
        status: The workload's.
        is_told: The client has told it, or has been told what is wrong.
        is_cut_off: The client was killed: nobody says how the run ended.
    """

    door: socket.socket
    control: Channel
    init_fd: int
    server: Server | SharedServer
    notes: Notes
    record: Record
    init: ProcessId | None
    supervisor: ProcessId | None = field(default_factory=own_id)
    workload: ProcessId | None = None
    workload_pid: int = 0
    is_running: bool = False
    status: int = 128 + signal.SIGKILL
    is_told: bool = False
    terminal: tuple[State, int] | None = None
    pidfile: str = ""
    forwarder: Forwarder | None = None
    shared: SharedPids | None = None
    error: RootlessError | None = None
    is_cut_off: bool = False

    def serve(self, clients: Clients) -> None:
        """Serve until the end of PID 1."""
        self.notes.processes(self)
        open_fds = {self.door.fileno(), self.control.fileno(), self.init_fd, self.server.pidfd}
        if self.forwarder is not None:
            open_fds.add(self.forwarder.pidfd)
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
        if self.shared is not None:
            self.shared.end()
        if self.error is not None:
            self.status = self.error.exit_status
        self.notes.finish(self.status, "" if self.error is None else str(self.error))
        clients.tell_end(self.status)

    def _serve_one(self, fd: int) -> bool:
        """Serve what has something; False where it is served no more."""
        if fd == self.init_fd:
            return False
        if fd == self.server.pidfd:
            text = "the FUSE server ended: files of the image now give I/O errors: "
            self._say(text + self.server.last_words())
            return False
        if self.forwarder is not None and fd == self.forwarder.pidfd:
            words = f"{self.forwarder.name}: {self.forwarder.last_words()}"
            self._say(f"the network ended, connections fail: {words}")
            return False
        return self._on_client() if fd == self.door.fileno() else self._on_control()

    def _on_client(self) -> bool:
        data, fds = b"", list[int]()
        with contextlib.suppress(OSError):
            data, fds, _, _ = socket.recv_fds(self.door, _MOST_BYTES, 1)
        if not data:
            if self.terminal is not None and not self.is_told:
                restore_if_raw(*self.terminal)  # he cannot any more
            self.is_cut_off = not (self.is_told or self.error)
            self._shoot()
            return False
        message = marshal.loads(data)  # noqa: S302 - of our own
        if "status" in message:
            self.status, self.is_told = message["status"], True
            self.workload_pid = self.workload_pid or message.get("pid", 0)
            self._write_pidfile()
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
            pid = pid_of(fds[0])
            self.workload, self.workload_pid = identify(pid), max(pid, self.workload_pid)
            os.close(fds[0])
            self.is_running = True
            null = os.open(os.devnull, os.O_RDWR)
            os.dup2(null, 2)  # the caller's, who may wait for its end
            os.close(null)
            self.notes.processes(self)
            self._write_pidfile()
        elif fds and "started" in message and self.shared is not None:
            self.shared.learn(fds[0])
        elif fds:
            os.close(fds[0])
        elif "error" in message:
            self.error = RootlessError.from_record(message["error"])
            send(self.door, message)
        elif "stopped" in message:
            send(self.door, message)
        return True

    def _write_pidfile(self) -> None:
        """Write it once the workload runs, or has run, and its process ID is known."""
        if self.pidfile and self.is_running and self.workload_pid:
            path, self.pidfile = self.pidfile, ""
            try:
                write_pidfile(path, self.workload_pid)
            except RootlessError as error:
                self.error = error
                send(self.door, {"error": error.to_record()})
                self._shoot()

    def _shoot(self) -> None:
        """End PID 1, and with it everything; among the processes of others they are ended after."""
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(self.init_fd, signal.SIGKILL)

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
        send(self.door, {"say": f"rootless: {text}\n".encode()})
