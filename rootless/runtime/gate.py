"""The gate between `create` and `start`: a socket in the state folder at which the container waits.

The container's process listens on it, with everything else done, and executes its program in the
place of answering. So whether a container has been created or runs is told by the kernel and not
by a file that might be wrong: execve(2) closes the socket. `start` learns of a program that cannot
be executed, since the connection stays open up to there.
"""

import contextlib
import os
import select
import signal
import socket
from collections.abc import Callable

from rootless.errors import Conflict, RootlessError
from rootless.linux.channel import Channel
from rootless.runtime import seccomp_listener

_NAME = "gate"


def listen(folder_fd: int) -> socket.socket:
    """Make the socket in a state folder; the container's process inherits it."""
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    listener.bind(_path(folder_fd))
    listener.listen()
    return listener


def is_waiting(folder_fd: int) -> bool:
    """Tell whether a container waits there."""
    try:
        channel = _connect(folder_fd, blocking=False)
    except BlockingIOError:  # it is stopped, or runs a hook, and many have asked already
        return True
    if channel is None:
        return False
    channel.close()
    return True


def expect_signals() -> int:
    """Have a termination signal end this process from now on; return what wakes `wait` up for it.

    What is to run has no handler yet, and the kernel would ignore the signal for the first process
    of a PID namespace.
    """
    read_fd, write_fd = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT):
        signal.signal(number, lambda number, _frame: os._exit(128 + number))
    signal.set_wakeup_fd(write_fd, warn_on_full_buffer=False)
    return read_fd


def wait(listener: socket.socket, wake_fd: int) -> Channel:
    """Wait, in the container, to be started; return the way to report a failure."""
    poll = select.poll()
    poll.register(listener, select.POLLIN)
    poll.register(wake_fd, select.POLLIN)  # accept(2) would miss a signal just before it
    while True:
        poll.poll()
        connection, _ = listener.accept()
        channel = Channel(connection)
        received = channel.receive()
        if received is not None and received[0].get("start"):
            channel.send({"starting": True})
            return channel
        channel.close()  # it only looked whether somebody waits


def let_go(folder_fd: int, on_listener: Callable[[int], None]) -> None:
    """Start the container that waits; raises Conflict where none does, or what kept it.

    `on_listener` is given the listener of a seccomp filter before the container's program runs.
    """
    channel = _connect(folder_fd)
    if channel is None:
        raise Conflict("the container does not wait to be started")
    with contextlib.closing(channel):
        channel.send({"start": True})
        if channel.receive() is None:
            raise Conflict("the container ended before it was started")
        follow(channel, on_listener)


def follow(channel: Channel, on_listener: Callable[[int], None]) -> int:
    """Wait until a program runs; return its terminal's other side, -1 without one.

    Raises what kept it from running.
    """
    master_fd = -1
    while (received := channel.receive()) is not None:  # execve(2) closes it
        message, fds = received
        if "error" in message:
            raise RootlessError.from_record(message["error"])
        if seccomp_listener.MESSAGE in message:
            on_listener(fds[0])
            channel.send({seccomp_listener.MESSAGE: True})
        else:
            master_fd = fds[0]
    return master_fd


def _connect(folder_fd: int, *, blocking: bool = True) -> Channel | None:
    with contextlib.ExitStack() as stack:
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        stack.callback(connection.close)
        connection.setblocking(blocking)
        try:
            connection.connect(_path(folder_fd))
        except (ConnectionRefusedError, FileNotFoundError):
            return None
        stack.pop_all()
        return Channel(connection)


def _path(folder_fd: int) -> str:
    # a socket's path has 107 bytes at most (unix(7)), and state folders may lie deeper
    return f"/proc/self/fd/{folder_fd}/{_NAME}"
