"""The commands that talk to a container's keeper: none is waited for, none is in another's way.

What is sent to one that does not read is kept here, and while it is much, no more output is taken
from the workload: it waits for its readers, as at a terminal.
"""

import contextlib
import json
import select
import socket
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from rootless.containers.control import MOST_BYTES, PIECE, packet
from rootless.linux.channel import Message

_MUCH = 1 << 20
_PATIENCE_S = 10.0


@dataclass(slots=True, eq=False)
class Client:
    """One connection.

    Attributes:
        end: The socket.
        is_attached: It gets the output, and may give input.
        waits: It is told of the end.
        follows: It is told when the log grows.
    """

    end: socket.socket
    is_attached: bool = False
    waits: bool = False
    follows: bool = False
    unsent: deque[bytes] = field(default_factory=deque)
    unsent_bytes: int = 0

    def send(self, message: Mapping[str, Any]) -> None:
        """Send a message, now or when the other side reads."""
        self.send_packet(packet(message))

    def send_packet(self, data: bytes) -> None:
        """Send a packet, now or when the other side reads."""
        self.unsent.append(data)
        self.unsent_bytes += len(data)
        self.flush()

    def flush(self) -> None:
        """Send what goes; who has gone gets nothing more."""
        while self.unsent:
            try:
                self.end.send(self.unsent[0])
            except BlockingIOError:
                return
            except OSError:
                self.unsent.clear()
                self.unsent_bytes = 0
                return
            self.unsent_bytes -= len(self.unsent.popleft())


Answer = Callable[[Client, Message], None]
Input = Callable[[bytes], None]


class Clients:
    """All connections of a keeper."""

    def __init__(self, listener: socket.socket) -> None:
        self._listener = listener
        self._clients: dict[int, Client] = {}

    def adopt(self, end: socket.socket) -> Client:
        """Take a connection that was made otherwise."""
        end.setblocking(False)
        client = Client(end)
        self._clients[end.fileno()] = client
        return client

    def is_connected(self, client: Client) -> bool:
        """Tell whether a client is there."""
        return client in self._clients.values()

    def close(self) -> None:
        """Close all; idempotent."""
        self.stop_listening()
        for client in self._clients.values():
            client.end.close()
        self._clients = {}

    def stop_listening(self) -> None:
        """Take no new ones."""
        self._listener.close()

    @property
    def are_behind(self) -> bool:
        """Tell whether somebody has much to read."""
        return any(client.unsent_bytes > _MUCH for client in self._clients.values())

    def interests(self, *, takes_input: bool) -> Mapping[int, int]:
        """Return what to wait for; of the attached ones only where their input can be taken."""
        found = {self._listener.fileno(): select.POLLIN} if self._listener.fileno() >= 0 else {}
        for fd, client in self._clients.items():
            reads = select.POLLIN if takes_input or not client.is_attached else 0
            found[fd] = reads | (select.POLLOUT if client.unsent else 0)
        return found

    def serve(self, ready: Mapping[int, int], answer: Answer, give_input: Input) -> None:
        """Take what poll(2) has named."""
        for fd in [fd for fd in self._clients if fd in ready]:
            client = self._clients[fd]
            client.flush()
            if ready[fd] & ~select.POLLOUT and not self._take(client, answer, give_input):
                self._drop(fd)
        if self._listener.fileno() in ready:
            with contextlib.suppress(OSError):
                self.adopt(self._listener.accept()[0])

    def _take(self, client: Client, answer: Answer, give_input: Input) -> bool:
        """Take one packet; False where there is none any more, or none that makes sense."""
        try:
            data = client.end.recv(MOST_BYTES)
        except BlockingIOError:
            return True
        except OSError:
            return False
        if not data:
            return False
        if data[:1] != b"{":
            give_input(data[1:])
            return client.is_attached
        try:
            message = json.loads(data)
        except ValueError:
            return False
        answer(client, message)
        return True

    def _drop(self, fd: int) -> None:
        self._clients.pop(fd).end.close()

    def pass_output(self, stream: bytes, data: bytes) -> None:
        """Give output to those who are attached, and tell those who read the log."""
        for client in self._clients.values():
            if client.is_attached:
                for at in range(0, len(data), PIECE):
                    client.send_packet(stream + data[at : at + PIECE])
            elif client.follows and not client.unsent:
                client.send({"grown": True})

    def tell_end(self, status: int) -> None:
        """Tell those who wait for it."""
        for client in self._clients.values():
            if client.is_attached or client.waits:
                client.send({"exited": status})

    def flush(self) -> None:
        """Wait until everybody has read what is his, or does not move."""
        deadline = time.monotonic() + _PATIENCE_S
        while any(client.unsent for client in self._clients.values()):
            poll = select.poll()
            before = sum(client.unsent_bytes for client in self._clients.values())
            for fd, client in self._clients.items():
                if client.unsent:
                    poll.register(fd, select.POLLOUT)
            poll.poll(max(0, deadline - time.monotonic()) * 1000)
            for client in self._clients.values():
                client.flush()
            if sum(client.unsent_bytes for client in self._clients.values()) < before:
                deadline = time.monotonic() + _PATIENCE_S
            elif time.monotonic() > deadline:
                return
