"""The client's side of a build that a holder's process does: its streams are the caller's own."""

import marshal
import os
import select

from rootless.errors import RootlessError
from rootless.holder.attend import SignalPipe, receive

TYPE_CHECKING = False
if TYPE_CHECKING:
    from _socket import socket

_ENDING = (1, 2, 3, 15)
_SIGSTOP, _SIGTSTP = 19, 20


def attend(door: "socket") -> int:
    """Pass signals on until it is done; return its status, -N where signal N ended it."""
    poll = select.poll()
    poll.register(door.fileno(), select.POLLIN)
    with SignalPipe() as signals:
        poll.register(signals.read_fd, select.POLLIN)
        while True:
            ready = [fd for fd, _ in poll.poll()]
            if signals.read_fd in ready:
                for number in signals.take():
                    _on_signal(door, number)
            if door.fileno() in ready:
                message, _ = receive(door)
                if message is None:
                    raise RootlessError("the build was cut off: its keeper was killed", "SIGKILL")
                status: int = message["status"]
                return status


def _on_signal(door: "socket", number: int) -> None:
    if number == _SIGTSTP:
        os.kill(os.getpid(), _SIGSTOP)
    elif number in _ENDING:
        try:
            door.send(marshal.dumps({"signal": number}))
        except OSError:
            return  # its end is heard of next
