"""A channel between two processes of one run: JSON messages with descriptors (unix(7), SCM_RIGHTS).

A sequenced-packet socket keeps message borders, so that there is no framing of our own, and an
end that is closed by the death of its process reads as the end of the stream.
"""

import array
import contextlib
import json
import socket
from collections.abc import Mapping, Sequence
from typing import Any

_MESSAGE_BYTES = 65536
_MOST_FDS = 8

Message = dict[str, Any]


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

    def send(self, message: Mapping[str, Any], fds: Sequence[int] = ()) -> bool:
        """Send a message; False where the other end is gone."""
        ancillary = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))] if fds else []
        try:
            self._socket.sendmsg([json.dumps(message).encode()], ancillary)
        except (BrokenPipeError, ConnectionResetError):
            return False
        return True

    def receive(self) -> tuple[Message, list[int]] | None:
        """Wait for a message; None where the other end is gone."""
        size = socket.CMSG_LEN(_MOST_FDS * array.array("i").itemsize)
        try:
            data, ancillary, _, _ = self._socket.recvmsg(
                _MESSAGE_BYTES, size, socket.MSG_CMSG_CLOEXEC
            )
        except ConnectionResetError:
            return None
        if not data:
            return None
        fds = array.array("i")
        for level, kind, payload in ancillary:
            if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
                fds.frombytes(payload[: len(payload) - len(payload) % fds.itemsize])
        message: Message = json.loads(data)
        return message, list(fds)
