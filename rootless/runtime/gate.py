"""The gate between `create` and `start`: a socket in the state folder at which the container waits.

The container's process listens on it, with everything else done, and executes its program in the
place of answering. So whether a container has been created or runs is told by the kernel and not
by a file that might be wrong: execve(2) closes the socket. `start` learns of a program that cannot
be executed, since the connection stays open up to there.
"""

import contextlib
import os
import signal
import socket

from rootless.errors import Conflict, RootlessError
from rootless.linux.channel import Channel

_NAME = "gate"


def listen(folder_fd: int) -> socket.socket:
    """Make the socket in a state folder; the container's process inherits it."""
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    listener.bind(_path(folder_fd))
    listener.listen()
    return listener


def is_waiting(folder_fd: int) -> bool:
    """Tell whether a container waits there."""
    channel = _connect(folder_fd)
    if channel is None:
        return False
    channel.close()
    return True


def wait(listener: socket.socket) -> Channel:
    """Wait, in the container, to be started; return the way to report a failure.

    A termination signal ends the wait and the process: what is to run has no handler yet, and the
    kernel would ignore it for the first process of a PID namespace.
    """
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT):
        signal.signal(number, lambda number, _frame: os._exit(128 + number))
    while True:
        connection, _ = listener.accept()
        channel = Channel(connection)
        received = channel.receive()
        if received is not None and received[0].get("start"):
            channel.send({"starting": True})
            return channel
        channel.close()  # it only looked whether somebody waits


def let_go(folder_fd: int) -> None:
    """Start the container that waits; raises Conflict where none does, or what kept it."""
    channel = _connect(folder_fd)
    if channel is None:
        raise Conflict("the container does not wait to be started")
    with contextlib.closing(channel):
        channel.send({"start": True})
        if channel.receive() is None:
            raise Conflict("the container ended before it was started")
        failed = channel.receive()  # the end of the stream: execve(2) closed it
        if failed is not None:
            raise RootlessError.from_record(failed[0]["error"])


def _connect(folder_fd: int) -> Channel | None:
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    try:
        connection.connect(_path(folder_fd))
    except (ConnectionRefusedError, FileNotFoundError):
        connection.close()
        return None
    return Channel(connection)


def _path(folder_fd: int) -> str:
    # a socket's path has 107 bytes at most (unix(7)), and state folders may lie deeper
    return f"/proc/self/fd/{folder_fd}/{_NAME}"
