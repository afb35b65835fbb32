"""A seccomp agent: the process at a container's `listenerPath` (config-linux.md, Seccomp)."""

import array
import fcntl
import json
import socket
import struct
import threading
from pathlib import Path
from typing import Any

# linux/seccomp.h
_RECEIVE = 0xC0502100  # SECCOMP_IOCTL_NOTIF_RECV
_SEND = 0xC0182101  # SECCOMP_IOCTL_NOTIF_SEND
_REQUEST = struct.Struct("=QIIiIQ6Q")  # struct seccomp_notif
_ANSWER = struct.Struct("=QqiI")  # struct seccomp_notif_resp


class Agent(threading.Thread):
    """A seccomp agent: takes one listener, and answers some calls, each with an error or with 0."""

    def __init__(self, path: Path, answers: list[int]) -> None:
        super().__init__(daemon=True)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.bind(str(path))
        self._socket.listen()
        self._answers = answers
        self.state: dict[str, Any] = {}
        self.calls: list[int] = []
        self.names: list[str] = []

    def run(self) -> None:
        """Serve one container."""
        connection, _ = self._socket.accept()
        with connection, self._socket:
            data, ancillary, _, _ = connection.recvmsg(1 << 16, socket.CMSG_LEN(4))
            while chunk := connection.recv(1 << 16):  # its end: one state for each connection
                data += chunk
        self.state = json.loads(data)
        (fd,) = array.array("i", ancillary[0][2])
        with open(fd, "rb", buffering=0) as listener:
            for error in self._answers:
                request = bytearray(_REQUEST.size)
                fcntl.ioctl(listener, _RECEIVE, request)
                identifier, pid, _, number, *_ = _REQUEST.unpack(request)
                self.calls.append(number)
                self.names.append(Path(f"/proc/{pid}/comm").read_text().strip())
                fcntl.ioctl(listener, _SEND, _ANSWER.pack(identifier, 0, -error, 0))
