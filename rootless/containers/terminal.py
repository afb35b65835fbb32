"""The caller's terminal and the container's: raw mode, window size, bytes both ways.

The container's terminal is made in its own devpts and its master comes here over the channel; the
line discipline is the container's, so the caller's own is set raw while bytes are passed.
"""

import contextlib
import fcntl
import os
import struct
import termios
import tty
from typing import Any

_CHUNK = 65536
# As termios.tcgetattr returns it
State = list[Any]

_END_OF_INPUT = b"\x04"  # VEOF: what a terminal sends for the end of the input


def state() -> State | None:
    """Return how the caller's terminal is set; None where standard input is none."""
    try:
        return termios.tcgetattr(0)
    except (OSError, termios.error):
        return None


class Terminal:
    """Passes bytes between the caller and a container's terminal.

    Args:
        master_fd: The container's terminal, other side; owned and closed here.
        interactive: The caller's input is passed.
        saved: The caller's terminal state, None where standard input is no terminal.
    """

    def __init__(self, master_fd: int, *, interactive: bool, saved: State | None) -> None:
        self.master_fd = master_fd
        self._saved = saved
        self._raw = False
        self._pending = b""
        self._input_open = interactive
        self._output_open = True
        os.set_blocking(master_fd, False)
        self.fit()
        if interactive and saved is not None:
            tty.setraw(0, termios.TCSADRAIN)
            self._raw = True

    def close(self) -> None:
        """Put the caller's terminal back and drop the container's; idempotent."""
        if self._raw:
            self._raw = False
            with contextlib.suppress(OSError, termios.error):
                termios.tcsetattr(0, termios.TCSADRAIN, self._saved or [])
        if self.master_fd >= 0:
            os.close(self.master_fd)
            self.master_fd = -1

    def fit(self) -> None:
        """Give the container's terminal the caller's window size; the kernel sends SIGWINCH."""
        empty = struct.pack("4H", 0, 0, 0, 0)
        for fd in (0, 1, 2):
            with contextlib.suppress(OSError):
                size = fcntl.ioctl(fd, termios.TIOCGWINSZ, empty)
                fcntl.ioctl(self.master_fd, termios.TIOCSWINSZ, size)
                return

    @property
    def wants_input(self) -> bool:
        """Tell whether more of the caller's input can be taken."""
        return self._input_open and not self._pending

    @property
    def wants_to_write(self) -> bool:
        """Tell whether input waits for the container to read."""
        return bool(self._pending)

    @property
    def has_output(self) -> bool:
        """Tell whether the container's side is open."""
        return self._output_open

    def take_input(self) -> None:
        """Read from the caller and pass it on."""
        try:
            data = os.read(0, _CHUNK)
        except OSError:
            data = b""
        if not data:
            self._input_open = False
        self._pending += data or _END_OF_INPUT
        self.pass_input()

    def pass_input(self) -> None:
        """Write what is pending as far as the container takes it."""
        try:
            written = os.write(self.master_fd, self._pending)
        except BlockingIOError:
            return
        except OSError:  # the container's side is closed
            written = len(self._pending)
        self._pending = self._pending[written:]

    def pass_output(self) -> bool:
        """Copy output to the caller; False where there is none left."""
        try:
            data = os.read(self.master_fd, _CHUNK)
        except BlockingIOError:
            return False
        except OSError:  # EIO: every process of the container closed it
            data = b""
        if not data:
            self._output_open = False
            return False
        view = memoryview(data)
        while view:
            view = view[os.write(1, view) :]
        return True
