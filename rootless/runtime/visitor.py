"""A workload that is no child of PID 1: a process of its caller's, which is let into the container.

Who looks after the container (`keeper`) is no descendant of who started it; the workload is, with
all that a process inherits: session, cgroup, limits, priority, affinity. So PID 1 makes the
container, and hands out at the door what one needs to come in: descriptors of its namespaces,
and the `Program` that `workload.become` plays. The visitor tells his process ID and then ends the
report by execve(2), or says why he could not.
"""

import contextlib
import marshal
import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rootless.errors import RootlessError
from rootless.linux.channel import Channel, to_the_last
from rootless.runtime import devices
from rootless.runtime.terminal import Pair

if TYPE_CHECKING:
    from rootless.runtime.workload import Program

# By the specification's names, in the order in which they are joined: the user namespace gives the
# right to join the others.
_FILES = {
    "user": "user",
    "cgroup": "cgroup",
    "ipc": "ipc",
    "uts": "uts",
    "network": "net",
    "pid": "pid",
    "mount": "mnt",
}
_REPORT_BYTES = 65536


def namespaces_here() -> dict[str, int]:
    """Return those of the calling process, by kind and inode number."""
    return {kind: os.stat(f"/proc/self/ns/{file}").st_ino for kind, file in _FILES.items()}


def open_namespaces(outside: Mapping[str, int]) -> list[int]:
    """Return descriptors of those in which the calling process is, and who is outside is not.

    By the host's /proc; the mount namespace comes last.
    """
    return [
        os.open(f"/proc/self/ns/{_FILES[kind]}", os.O_RDONLY | os.O_CLOEXEC)
        for kind, inode in namespaces_here().items()
        if outside.get(kind) != inode
    ]


@dataclass(frozen=True, slots=True)
class Door:
    """What one needs to come in.

    Attributes:
        namespaces: Descriptors of them, as `open_namespaces` gives them.
        terminal: The container's, None for none: he passes the bytes himself.
    """

    namespaces: list[int]
    terminal: Pair | None = None


def let_in(own: Door, program: "Program", control: Channel) -> tuple[int, int]:
    """Wait for a visitor and let him in; return his process ID and pidfd when his program runs.

    `control` brings `{"door": true, "args": …, "also": …}` with the connection to him, and perhaps
    the mount of his terminal; with arguments they are the program's, and what is there "also" is
    for him. It gets the mount namespace before he comes. Raises RootlessError, his own where he
    told one.
    """
    # From here on signals are the workload's: those that come before it runs wait in the channel.
    control.send({"started": True}, own.namespaces[-1:])
    received = control.receive()
    if received is None or not received[1]:
        raise RootlessError("nobody came in")
    message, (door_fd, *console) = received
    if message["args"] is not None:
        program["args"] = tuple(message["args"])
    for tree_fd in console:
        with contextlib.suppress(OSError, RootlessError):  # it is only for its name
            devices.bind_callers_terminal(tree_fd)
        os.close(tree_fd)
    told = {**message["also"], "program": program, "terminal": own.terminal is not None}
    pair = () if own.terminal is None else (own.terminal.terminal, own.terminal.master)
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with ours:
        with theirs, socket.socket(fileno=door_fd) as door:
            fds = [theirs.fileno(), *pair, *own.namespaces]
            try:
                socket.send_fds(door, [marshal.dumps(told)], fds)
            except OSError as error:
                raise RootlessError(f"the caller has gone: {error.strerror}") from error
        # The terminal itself stays open here, as it does for a child (`sandbox`).
        for fd in (*pair[1:], *own.namespaces):
            os.close(fd)
        # His own pidfd: his parent may have reaped him before we could open one.
        data, pidfds, _, _ = to_the_last(lambda: socket.recv_fds(ours, _REPORT_BYTES, 1))
        if not pidfds:
            raise RootlessError("the process that was to become the workload ended")
        pid = marshal.loads(data)  # noqa: S302 - of our own
        # Then the end of the stream, as execve(2) closes it, or an error before it.
        data = to_the_last(lambda: ours.recv(_REPORT_BYTES))
        record = marshal.loads(data) if data else None  # noqa: S302 - of our own
    if record is not None:
        os.close(pidfds[0])
        raise RootlessError.from_record(record)
    return pid, pidfds[0]
