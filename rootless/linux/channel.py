"""A channel between two processes of one run: JSON messages with descriptors (unix(7)).

A sequenced-packet socket keeps message borders, so that there is no framing of our own, and an
end that is closed by the death of its process reads as the end of the stream.
"""

import array
import contextlib
import json
import os
import socket
import struct
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

_MESSAGE_BYTES = 65536
_MOST_FDS = 8
_PROCESS = "process"
_CREDENTIALS = struct.Struct("iII")  # of ucred: process, user, group

Message = dict[str, Any]
_T = TypeVar("_T")


class Channel:
    """One end; not inherited across exec."""

    def __init__(self, end: socket.socket) -> None:
        self._socket = end

    @classmethod
    def pair(cls) -> "tuple[Channel, Channel]":
        """Return the two ends of a new channel."""
        one, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        return cls(one), cls(other)

    def fileno(self) -> int:
        """Return the descriptor, for poll(2)."""
        return self._socket.fileno()

    def close(self) -> None:
        """Close this end."""
        self._socket.close()

    def shut_down(self) -> None:
        """End the stream for both ends, while the descriptor stays open."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)

    def learn_processes(self) -> None:
        """Have this end be told of processes that `send` names."""
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)

    def send(
        self, message: Mapping[str, Any], fds: Sequence[int] = (), *, process: int = 0
    ) -> bool:
        """Send a message; False where the other end is gone.

        A process that it is about reaches the other end as `process`, its ID in the PID namespace
        there, even where it has ended by then (SCM_CREDENTIALS): a pidfd does not say that. Left
        out where the kernel does not let the caller name it, who has no say in its PID namespace.
        """
        ancillary: list[tuple[int, int, Any]] = []
        if fds:
            ancillary.append((socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds)))
        if process:
            named = _CREDENTIALS.pack(process, os.getuid(), os.getgid())
            ancillary.append((socket.SOL_SOCKET, socket.SCM_CREDENTIALS, named))
            message = {**message, _PROCESS: True}
        try:
            self._socket.sendmsg([json.dumps(message).encode()], ancillary)
        except PermissionError:
            if not process:
                raise
            return self.send({**message, _PROCESS: 0}, fds)
        except (BrokenPipeError, ConnectionResetError):
            return False
        return True

    def receive(self) -> tuple[Message, list[int]] | None:
        """Wait for a message; None where the other end is gone."""
        size = socket.CMSG_SPACE(_MOST_FDS * array.array("i").itemsize)
        size += socket.CMSG_SPACE(_CREDENTIALS.size)
        data, ancillary, _, _ = to_the_last(
            lambda: self._socket.recvmsg(_MESSAGE_BYTES, size, socket.MSG_CMSG_CLOEXEC)
        )
        if not data:
            return None
        message: Message = json.loads(data)
        fds = array.array("i")
        for level, kind, payload in ancillary:
            if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
                fds.frombytes(payload[: len(payload) - len(payload) % fds.itemsize])
            # Every message has credentials, the sender's own where it names nobody.
            if kind == socket.SCM_CREDENTIALS and message.get(_PROCESS):
                message[_PROCESS], *_ = _CREDENTIALS.unpack(payload)
        return message, list(fds)


def to_the_last(receive: Callable[[], _T]) -> _T:
    """Return what a call receives, also from one who ended with something of ours unread.

    That he did so is told once (ECONNRESET), before what he had sent.
    """
    try:
        return receive()
    except ConnectionResetError:
        return receive()
