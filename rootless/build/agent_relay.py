"""Passes connections to another socket on: each side's bytes to the other, until both have ended.

An ssh-agent answers only processes of its own user. A workload may be another one, and so it talks
to a process of the user's.
"""

import os
import select
import signal
import socket
from typing import NoReturn

from rootless.linux.prctl import set_parent_death_signal

_PIECE = 65536
_MOST_WAITING = 16


def start_relay(path: str, target: str) -> int:
    """Listen at a path for connections to a socket; return the process that passes them on.

    It ends with its parent.
    """
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    folder, name = os.path.split(path)
    folder_fd = os.open(folder, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:  # an address has no room for a long path (unix(7))
        listener.bind(f"/proc/self/fd/{folder_fd}/{name}")
    finally:
        os.close(folder_fd)
    listener.listen(_MOST_WAITING)
    parent = os.getpid()
    pid = os.fork()
    if pid == 0:
        _serve(listener, target, parent)
    listener.close()
    return pid


def _serve(listener: socket.socket, target: str, parent: int) -> NoReturn:
    try:
        set_parent_death_signal(signal.SIGKILL)
        os.closerange(0, listener.fileno())
        os.closerange(listener.fileno() + 1, 1 << 20)
        if os.getppid() == parent:
            Relay(listener, target).run()
    finally:
        os._exit(0)


class Relay:
    """Passes connections on, one process for all of them.

    Args:
        listener: Where they come in.
        target: Path of the socket that they are for.
    """

    def __init__(self, listener: socket.socket, target: str) -> None:
        self._listener = listener
        self._target = target
        self._peers: dict[socket.socket, socket.socket] = {}

    def run(self) -> NoReturn:
        """Serve for good."""
        while True:
            ready, _, _ = select.select([self._listener, *self._peers], [], [])
            for each in ready:
                if each is self._listener:
                    self._accept()
                elif each in self._peers:
                    self._pass_on(each)

    def _accept(self) -> None:
        client, _ = self._listener.accept()
        agent = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            agent.connect(self._target)
        except OSError:
            client.close()
            agent.close()
            return
        self._peers[client], self._peers[agent] = agent, client

    def _pass_on(self, end: socket.socket) -> None:
        other = self._peers[end]
        try:
            data = end.recv(_PIECE)
            if data:
                other.sendall(data)
                return
        except OSError:
            pass
        for each in (end, other):
            del self._peers[each]
            each.close()
