"""A session of a pump, for its tests: a pair of sockets stands for the kernel's connection."""

import os
import socket
from collections.abc import Callable
from typing import Any

import pytest

from fuse import wire
from fuse.fast_path import FastPath
from fuse.pump import Pump, no_work

ECHO = 99  # a kind that the fast path answers
OTHER = 98  # and one that it does not


class Session:
    """A session and its pump, as the kernel and pyfuse3 see it.

    Attributes:
        kernel: The kernel's end of the connection.
        fd: The session's number, where pyfuse3 reads and writes.
    """

    def __init__(self, work: Callable[[], bool] = no_work) -> None:
        self.kernel, end = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.kernel.setblocking(False)
        self.fd = end.detach()
        self.identity = os.fstat(self.fd).st_ino
        self.path = FastPath()
        self.path.serve({ECHO: lambda ino, length: bytes(self.path.view[wire.BODY : length])})
        self.pump = Pump(self.path, work)
        self._unique = 0

    def close(self) -> None:
        """Close both ends."""
        if self.pump._exchange is not None:
            self.pump._exchange.close()
        os.close(self.fd)
        self.kernel.close()

    def ask(self, opcode: int, body: bytes = b"") -> None:
        """Send a request."""
        self._unique += 2
        head = (wire.BODY + len(body), opcode, self._unique, 1, 0, 0, 0, 0, 0)
        self.kernel.send(wire.REQUEST.pack(*head) + body)

    def answers(self) -> list[tuple[int, bytes]]:
        """Take all answers that have come, each as its errno and body."""
        found = []
        while True:
            try:
                message = self.kernel.recv(1 << 20)
            except BlockingIOError:
                return found
            _, error, _ = wire.ANSWER.unpack_from(message)
            found.append((-error, message[wire.ANSWER.size :]))

    async def wait(self) -> bytes:
        """Wait as pyfuse3 does; return what it then reads."""
        await self.pump._wait_readable(self.fd)
        return os.read(self.fd, 1 << 20)

    def reply(self, body: bytes = b"") -> None:
        """Answer as pyfuse3 does."""
        os.write(self.fd, wire.ANSWER.pack(wire.ANSWER.size + len(body), 0, self._unique) + body)


def opcode_of(request: bytes) -> int:
    """Return a request's kind."""
    return int(wire.REQUEST.unpack_from(request)[1])


def failing_once(error: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the next read of a request fail."""
    real = os.readv

    def readv(fd: int, buffers: Any) -> int:
        monkeypatch.setattr(os, "readv", real)
        raise OSError(error, os.strerror(error))

    monkeypatch.setattr(os, "readv", readv)
