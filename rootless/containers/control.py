"""What a container's keeper is asked by other commands: a socket in its run's folder.

Packets keep their borders (SOCK_SEQPACKET, unix(7)). One that begins with `{` is a JSON message,
else its first byte names the stream that the others belong to. The folder is its user's alone, and
so is the socket.

    {"signal": N, "ends": bool}     to the workload; `ends`: it is not to be started again
    {"wait": true}                  answered by {"exited": STATUS} when it has ended for good
    {"follow": true}                a message at each growth of the log; closed at the end
    {"attach": true}                output from now on; then {"exited": STATUS}
    {"size": [ROWS, COLUMNS]}       of the attached terminal
    {"health": true}                run the health check now

Every answer else is {"ok": true} or {"error": …}.
"""

import contextlib
import json
import os
import socket
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from rootless.linux.channel import Channel, Message, to_the_last

STDIN, STDOUT, STDERR = b"\x00", b"\x01", b"\x02"
MOST_BYTES = 65536
PIECE = 32768
_NAME = "control"


def listen(folder: Path) -> socket.socket:
    """Make the socket of a run; raises OSError."""
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET | socket.SOCK_CLOEXEC)
    try:
        with contextlib.suppress(FileNotFoundError):
            (folder / _NAME).unlink()
        with _short_path(folder) as path:
            listener.bind(path)
        listener.listen(64)
        listener.setblocking(False)
    except BaseException:
        listener.close()
        raise
    return listener


def connect(folder: Path) -> socket.socket | None:
    """Connect to the keeper of a run; None where there is none."""
    end = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET | socket.SOCK_CLOEXEC)
    try:
        with _short_path(folder) as path:
            end.connect(path)
    except OSError:
        end.close()
        return None
    return end


def ask(folder: Path, message: Mapping[str, Any]) -> dict[str, Any] | None:
    """Ask, and return the answer; None where the keeper is gone, or went without one."""
    end = connect(folder)
    if end is None:
        return None
    channel = Channel(end)
    try:
        if not channel.send(message):
            return None
        received = channel.receive()
        return None if received is None else received[0]
    finally:
        channel.close()


def next_packet(end: socket.socket) -> bytes:
    """Return the next packet of a connection, empty at its end; raises OSError."""
    return to_the_last(lambda: end.recv(MOST_BYTES))


def packet(message: Mapping[str, Any]) -> bytes:
    """Return a message's packet."""
    return json.dumps(message).encode()


def message_of(packet_: bytes) -> Message:
    """Return the message of a packet; raises ValueError."""
    message: Message = json.loads(packet_)
    return message


@contextlib.contextmanager
def _short_path(folder: Path) -> Iterator[str]:
    """Give a name of the socket that fits into `sun_path`, wherever the folder is."""
    fd = os.open(folder, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{fd}/{_NAME}"
    finally:
        os.close(fd)
