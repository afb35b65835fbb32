"""The workload's standard streams at a monitor's: pipes, or the other side of its terminal.

Nothing here waits for the workload, and it waits for nobody but who is to read what it says.
"""

import contextlib
import fcntl
import os
import struct
import termios
from collections.abc import Iterator, Mapping
from select import POLLIN, POLLOUT

from rootless.containers.control import PIECE, STDERR, STDOUT

_END_OF_INPUT = b"\x04"  # VEOF of a terminal
_DEFAULT_SIZE = (24, 80)


class WorkloadStreams:
    """The monitor's ends, for one run.

    Args:
        terminal: The workload gets a terminal, which comes later.
        interactive: Its standard input stays open.
    """

    def __init__(self, *, terminal: bool, interactive: bool) -> None:
        self._sources: dict[int, bytes] = {}
        self._input_fd = -1
        self._input = b""
        self._ends = False
        self._size = _DEFAULT_SIZE
        self._terminal = terminal
        self._theirs: dict[int, int] = {}  # by the number that it gets there
        if not terminal:
            self._open_pipes(interactive=interactive)

    def _open_pipes(self, *, interactive: bool) -> None:
        for number, stream in ((1, STDOUT), (2, STDERR)):
            ours, self._theirs[number] = os.pipe()
            os.set_blocking(ours, False)
            self._sources[ours] = stream
        if interactive:
            self._theirs[0], self._input_fd = os.pipe()
            os.set_blocking(self._input_fd, False)

    def become_theirs(self) -> None:
        """In the forked child: put the workload's ends in place, close all others."""
        for number, fd in self._theirs.items():
            os.dup2(fd, number)
        self.close()

    def close_theirs(self) -> None:
        """In the monitor, after the fork."""
        for fd in self._theirs.values():
            os.close(fd)
        self._theirs = {}

    def close(self) -> None:
        """Close everything; idempotent."""
        self.close_theirs()
        for fd in {*self._sources, self._input_fd} - {-1}:
            os.close(fd)
        self._sources = {}
        self._input_fd = -1

    def take_terminal(self, master_fd: int) -> None:
        """Take the other side of the workload's terminal."""
        os.set_blocking(master_fd, False)
        self._sources[master_fd] = STDOUT
        self._input_fd = master_fd
        self.resize(*self._size)

    def resize(self, rows: int, columns: int) -> None:
        """Give the terminal a size, now or when it comes."""
        self._size = (rows, columns)
        if self._terminal and self._input_fd >= 0:
            size = struct.pack("4H", rows, columns, 0, 0)
            with contextlib.suppress(OSError):
                fcntl.ioctl(self._input_fd, termios.TIOCSWINSZ, size)

    @property
    def takes_input(self) -> bool:
        """Tell whether the input that came last has been taken."""
        return not self._input

    def feed(self, data: bytes) -> None:
        """Pass input; empty for its end. Without a reader it is dropped."""
        if self._input_fd < 0:
            return
        if data:
            self._input += data
        elif self._terminal:
            self._input += _END_OF_INPUT
        else:
            self._ends = True
        self._pass_input()

    def interests(self, *, reads: bool) -> Mapping[int, int]:
        """Return what to wait for; output only where it `reads`, as somebody is to take it."""
        found = dict.fromkeys(self._sources, POLLIN) if reads else {}
        if self._input:
            found[self._input_fd] = found.get(self._input_fd, 0) | POLLOUT
        return found

    def serve(self, ready: Mapping[int, int]) -> Iterator[tuple[bytes, bytes]]:
        """Move what poll(2) has named; yield the output by stream."""
        if self._input_fd in ready:
            self._pass_input()
        for fd in [fd for fd in self._sources if fd in ready]:
            if ready[fd] & ~POLLOUT:
                yield from self._read(fd)

    def drain(self) -> Iterator[tuple[bytes, bytes]]:
        """Yield what an ended container has left."""
        for fd in list(self._sources):
            while fd in self._sources:
                pieces = list(self._read(fd))
                yield from pieces
                if not pieces:
                    break

    def _read(self, fd: int) -> Iterator[tuple[bytes, bytes]]:
        try:
            data = os.read(fd, PIECE)
        except BlockingIOError:
            return
        except OSError:  # EIO: every process of the container closed its terminal
            data = b""
        if data:
            yield self._sources[fd], data
        else:
            del self._sources[fd]
            if fd == self._input_fd:
                self._input_fd = -1
                self._input = b""
            os.close(fd)

    def _pass_input(self) -> None:
        try:
            written = os.write(self._input_fd, self._input) if self._input else 0
        except BlockingIOError:
            return
        except OSError:  # nobody reads it any more
            written = len(self._input)
        self._input = self._input[written:]
        if self._ends and not self._input and not self._terminal:
            os.close(self._input_fd)
            self._input_fd = -1
