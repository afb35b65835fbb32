"""The caller's terminal and the container's: raw mode, window size, bytes both ways.

The container's terminal is made in its own devpts and its master comes here over the channel; the
line discipline is the container's, so the caller's own is set raw while bytes are passed.

Nothing here waits: a caller's terminal that is stopped, or a pipe that nobody reads, must not keep
signals from being passed on.
"""

import fcntl
import os
import stat
import termios
from select import POLLIN, POLLOUT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

State = list["Any"]
"""As termios.tcgetattr returns it."""

_CHUNK = 65536
# What a descriptor that poll(2) calls writable takes without waiting: PIPE_BUF at least for a pipe.
_SMALL_CHUNK = 512

_END_OF_INPUT = b"\x04"  # VEOF: what a terminal sends for the end of the input
_STDIN, _STDOUT, _STDERR = 0, 1, 2
_SIZE_BYTES = 8  # struct winsize
_INPUT, _OUTPUT, _CONTROL, _LOCAL, _CHARACTERS = 0, 1, 2, 3, 6  # places in a State
_COOKED_FLAGS = termios.ECHO | termios.ICANON | termios.ISIG | termios.IEXTEN
_COOKED_INPUT = termios.BRKINT | termios.ICRNL | termios.INPCK | termios.ISTRIP | termios.IXON


def state() -> State | None:
    """Return how the caller's terminal is set; None where standard input is none."""
    try:
        return termios.tcgetattr(_STDIN)
    except (OSError, termios.error):
        return None


def restore_if_raw(saved: State, fd: int = -1) -> None:
    """Put the caller's terminal back, unless its shell has already set it as it wants it.

    Args:
        saved: How it was.
        fd: The terminal, -1 for standard input.
    """
    fd = _STDIN if fd < 0 else fd
    try:
        output_flags, local_flags = termios.tcgetattr(fd)[1:4:2]
        if not (output_flags & termios.OPOST or local_flags & _COOKED_FLAGS):
            termios.tcsetattr(fd, termios.TCSANOW, saved)
    except (OSError, termios.error):
        return  # it is closed


def _raw(saved: State) -> State:
    """Return how a terminal is set that passes every byte as it comes (termios(3), cfmakeraw)."""
    made: State = list(saved)
    made[_INPUT] &= ~_COOKED_INPUT
    made[_OUTPUT] &= ~termios.OPOST
    made[_CONTROL] = made[_CONTROL] & ~(termios.CSIZE | termios.PARENB) | termios.CS8
    made[_LOCAL] &= ~_COOKED_FLAGS
    made[_CHARACTERS] = list(made[_CHARACTERS])
    made[_CHARACTERS][termios.VMIN], made[_CHARACTERS][termios.VTIME] = 1, 0
    return made


class Terminal:
    """Passes bytes between the caller and a container's terminal.

    Args:
        master_fd: The container's terminal, other side; owned and closed here.
        interactive: The caller's input is passed.
        saved: The caller's terminal state, None where standard input is no terminal.
    """

    def __init__(self, master_fd: int, *, interactive: bool, saved: State | None) -> None:
        self.master_fd = master_fd
        self._saved = saved if interactive else None
        self._input_open = interactive
        self._input = b""
        self._at_line_start = True
        self._output_open = True
        self._output = b""
        self._out = _Output.open()
        os.set_blocking(master_fd, False)
        self.resume()

    def close(self) -> None:
        """Put the caller's terminal back and drop the container's; idempotent."""
        if self.master_fd >= 0:
            self.suspend()
            self._out.close()
            os.close(self.master_fd)
            self.master_fd = -1

    def suspend(self) -> None:
        """Put the caller's terminal back for as long as this process is stopped."""
        if self._saved is not None:
            _set(self._saved)

    def resume(self) -> None:
        """Take the caller's terminal; in the background this stops the process (SIGTTOU)."""
        if self._saved is not None:
            _set(_raw(self._saved))
        self.fit()

    def fit(self) -> None:
        """Give the container's terminal the caller's window size; the kernel sends SIGWINCH."""
        for fd in (_STDIN, _STDOUT, _STDERR):
            try:
                size = fcntl.ioctl(fd, termios.TIOCGWINSZ, bytes(_SIZE_BYTES))
                fcntl.ioctl(self.master_fd, termios.TIOCSWINSZ, size)
            except OSError:
                continue
            return

    def interests(self) -> "Mapping[int, int]":
        """Return what to wait for: events of poll(2) by descriptor."""
        found = {}
        master = (POLLOUT if self._input else 0) | (
            POLLIN if self._output_open and not self._output else 0
        )
        if master:
            found[self.master_fd] = master
        if self._input_open and not self._input:
            found[_STDIN] = POLLIN
        if self._output:
            found[self._out.fd] = POLLOUT
        return found

    @property
    def output_waits(self) -> bool:
        """Tell whether output waits for the caller's side to take it."""
        return bool(self._output)

    def serve(self, fd: int) -> None:
        """Move bytes after poll(2) has named `fd`; raises BrokenPipeError: nobody reads."""
        if fd == _STDIN:
            self._take_input()
        elif fd == self._out.fd:
            self._pass_output()
        else:
            self._pass_input()
            self.move_output()

    def move_output(self) -> bool:
        """Move output as far as it goes; False where the container has no more for now."""
        if not self._output and self._output_open:
            self._take_output()
        if not self._output:
            return False
        self._pass_output()
        return True

    def drain(self) -> bool:
        """Move all output of a container that has ended; True where some waits for its reader."""
        while self.move_output():
            if self.output_waits:
                return True
        return False

    def _take_input(self) -> None:
        try:
            data = os.read(_STDIN, _CHUNK)
        except OSError:
            data = b""
        if data:
            self._at_line_start = data.endswith(b"\n")
            self._input += data
        else:
            # Within a line the first one only sends what there is of it (termios(3), VEOF).
            self._input_open = False
            self._input += _END_OF_INPUT * (1 if self._at_line_start else 2)
        self._pass_input()

    def _pass_input(self) -> None:
        if not self._input:
            return
        try:
            written = os.write(self.master_fd, self._input)
        except BlockingIOError:
            return
        except OSError:  # the container's side is closed
            written = len(self._input)
        self._input = self._input[written:]

    def _take_output(self) -> None:
        try:
            self._output = os.read(self.master_fd, _CHUNK)
        except BlockingIOError:
            return
        except OSError:  # EIO: every process of the container closed it
            self._output = b""
        self._output_open = bool(self._output)

    def _pass_output(self) -> None:
        self._output = self._output[self._out.write(self._output) :]


def _set(wanted: State) -> None:
    try:
        termios.tcsetattr(_STDIN, termios.TCSANOW, wanted)
    except (OSError, termios.error):
        return  # it is closed


class _Output:
    """Standard output, written as far as it takes bytes at once.

    O_NONBLOCK belongs to the open file, which the caller's shell shares: so a terminal or a pipe is
    opened anew. Where it cannot be (a terminal of another user, a socket), small pieces are written
    when poll(2) says so.
    """

    def __init__(self, fd: int, chunk: int) -> None:
        self.fd = fd
        self._chunk = chunk

    @classmethod
    def open(cls) -> "_Output":
        """Open it."""
        kind = os.fstat(_STDOUT).st_mode
        if stat.S_ISREG(kind):
            return cls(_STDOUT, _CHUNK)  # never waits for a reader
        flags = os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
        try:
            return cls(os.open(f"/proc/self/fd/{_STDOUT}", flags), _CHUNK)
        except OSError:
            return cls(_STDOUT, _SMALL_CHUNK)

    def close(self) -> None:
        """Close what was opened."""
        if self.fd != _STDOUT:
            os.close(self.fd)
            self.fd = _STDOUT

    def write(self, data: bytes) -> int:
        """Write; return how much was taken. Raises BrokenPipeError where nobody reads any more."""
        try:
            return os.write(self.fd, data[: self._chunk])
        except BlockingIOError:
            return 0
        except OSError as error:
            if os.isatty(self.fd):  # EIO: the terminal was closed
                raise BrokenPipeError from error
            raise
