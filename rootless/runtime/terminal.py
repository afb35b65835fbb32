"""The container's terminal: made in its own devpts (config.md, "Process").

A terminal of the host's devpts would show inside as a path that is not there, and would belong to
another user.
"""

import fcntl
import os
import socket
import struct
import termios
from dataclasses import dataclass

from rootless.errors import InvalidInput, RootlessError
from rootless.linux.openat2 import open_in_root
from rootless.oci.runtime_spec import Process

# asm-generic/ioctls.h; the termios module has no names for them
_TIOCGPTN = 0x80045430
_TIOCSPTLCK = 0x40045431


@dataclass(frozen=True, slots=True)
class Pair:
    """Both sides of a terminal.

    Attributes:
        master: What the runner reads and writes.
        terminal: What becomes the workload's standard streams.
    """

    master: int
    terminal: int


def open_pair(root_fd: int, process: Process) -> Pair:
    """Make a terminal in the devpts below the root; it belongs to the process's user."""
    master = open_in_root(root_fd, "/dev/pts/ptmx", os.O_RDWR | os.O_NOCTTY)
    fcntl.ioctl(master, _TIOCSPTLCK, struct.pack("i", 0))
    (number,) = struct.unpack("i", fcntl.ioctl(master, _TIOCGPTN, struct.pack("i", 0)))
    terminal = open_in_root(root_fd, f"/dev/pts/{number}", os.O_RDWR | os.O_NOCTTY)
    os.fchown(terminal, process.user.uid, -1)
    size = process.console_size
    if size is not None:  # a terminal of the caller's, if there is one, has the last word
        window = struct.pack("HHHH", size.height, size.width, 0, 0)
        fcntl.ioctl(terminal, termios.TIOCSWINSZ, window)
    return Pair(master, terminal)


class ConsoleSocket:
    """The unix socket of `--console-socket`, which takes the terminal's other side (runc's way)."""

    def __init__(self, path: str) -> None:
        """Connect; raises InvalidInput where nobody listens."""
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            self._socket.connect(path)
        except OSError as error:
            self._socket.close()
            raise InvalidInput(
                f"cannot reach the console socket: {error.strerror}", path
            ) from error

    def close(self) -> None:
        """Close the connection."""
        self._socket.close()

    def send(self, master_fd: int) -> None:
        """Hand over the terminal; the message names it, as runc's does."""
        try:
            socket.send_fds(self._socket, [b"/dev/ptmx"], [master_fd])
        except OSError as error:
            raise RootlessError(
                f"the console socket does not take the terminal: {error.strerror}"
            ) from error
