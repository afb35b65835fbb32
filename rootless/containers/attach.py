"""A command's side of a container that a monitor keeps: its output here, our input there."""

import contextlib
import fcntl
import os
import select
import signal
import socket
import struct
import termios
import tty
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from rootless.containers import control
from rootless.containers.detach_keys import DetachKeys
from rootless.containers.signal_pipe import SignalPipe
from rootless.errors import Conflict, RootlessError
from rootless.linux import terminal

_STDIN, _STDOUT, _STDERR = 0, 1, 2
_OUTPUTS = {control.STDOUT[0]: _STDOUT, control.STDERR[0]: _STDERR}
_PROXIED = (
    *(signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM),
    *(signal.SIGUSR1, signal.SIGUSR2, signal.SIGALRM, signal.SIGCONT),
)


@dataclass(frozen=True, slots=True)
class AttachOptions:
    """What of the caller's goes to the container.

    Attributes:
        takes_input: His standard input.
        has_terminal: The container has one.
        detach_keys: What he types to leave it; empty for nothing.
        sig_proxy: His signals.
    """

    takes_input: bool = True
    has_terminal: bool = False
    detach_keys: bytes = b"\x10\x11"
    sig_proxy: bool = True


def first_messages() -> Iterator[bytes]:
    """Yield what makes a new connection an attached one."""
    yield control.packet({"attach": True})
    yield from _size()


def attach(folder: Path, options: AttachOptions) -> int | None:
    """Attach to a running container; return its status, None where the keys came first."""
    end = control.connect(folder)
    if end is None:
        raise Conflict("the container is not running", folder.name[:12], "rootless start it")
    with end:
        for message in first_messages():
            end.send(message)
        return follow(end, folder, options)


def follow(
    end: socket.socket, folder: Path, options: AttachOptions, early: Iterable[bytes] = ()
) -> int | None:
    """Pass everything until the container ends, or the keys are pressed.

    Args:
        end: An attached connection.
        folder: The container's run folder, for signals.
        options: What is passed.
        early: Packets that have been read from it.

    Returns:
        The exit status, None where the keys came first.

    Raises:
        RootlessError: The monitor was killed; what the monitor says.
    """
    with SignalPipe((*_PROXIED, signal.SIGWINCH) if options.sig_proxy else ()) as signals:
        attached = _Attached(end, folder, options, signals)
        try:
            attached.take_terminal()
            for packet in early:
                attached.on_packet(packet)
            while not attached.is_over:
                attached.serve_once()
        finally:
            attached.give_terminal_back()
    return attached.exit_code


class _Attached:
    """One attached connection."""

    def __init__(
        self, end: socket.socket, folder: Path, options: AttachOptions, signals: SignalPipe
    ) -> None:
        self.exit_code: int | None = None
        self.is_over = False
        self._end = end
        self._folder = folder
        self._options = options
        self._signals = signals
        self._keys = DetachKeys(options.detach_keys if options.has_terminal else b"")
        self._reads = options.takes_input
        self._unsent: deque[bytes] = deque()
        self._saved = terminal.state() if options.has_terminal and options.takes_input else None
        end.setblocking(False)

    def take_terminal(self) -> None:
        if self._saved is not None:
            with contextlib.suppress(OSError, termios.error):
                tty.setraw(_STDIN, termios.TCSANOW)

    def give_terminal_back(self) -> None:
        if self._saved is not None:
            with contextlib.suppress(OSError, termios.error):
                termios.tcsetattr(_STDIN, termios.TCSANOW, self._saved)

    def serve_once(self) -> None:
        poll = select.poll()
        poll.register(self._end, select.POLLIN | (select.POLLOUT if self._unsent else 0))
        poll.register(self._signals.read_fd, select.POLLIN)
        if self._reads and not self._unsent:
            poll.register(_STDIN, select.POLLIN)
        ready = dict(poll.poll())
        if self._end.fileno() in ready:
            self._flush()
            self._receive()
        if _STDIN in ready and not self.is_over:
            self._read_input()
        if self._signals.read_fd in ready:
            for number in self._signals.take():
                self._on_signal(number)

    def on_packet(self, packet: bytes) -> None:
        """Take one packet of the monitor's."""
        fd = _OUTPUTS.get(packet[0])
        if fd is not None:
            _write(fd, packet[1:])
            return
        message = control.message_of(packet)
        if "exited" in message:
            self.exit_code = int(message["exited"])
            self.is_over = True
        elif "error" in message:
            raise RootlessError.from_record(message["error"])

    def _receive(self) -> None:
        try:
            packet = control.next_packet(self._end)
        except BlockingIOError:
            return
        except OSError:
            packet = b""
        if not packet:
            raise RootlessError(
                "the run was cut off: its monitor was killed", self._folder.name[:12]
            )
        self.on_packet(packet)

    def _read_input(self) -> None:
        try:
            data = os.read(_STDIN, control.PIECE)
        except OSError:
            data = b""
        self._reads = bool(data)
        passed = self._keys.filter(data)
        if passed or not data:
            self._send(control.STDIN + passed)
        self.is_over = self._keys.are_pressed

    def _on_signal(self, number: signal.Signals) -> None:
        if number == signal.SIGWINCH:
            for message in _size():
                self._send(message)
        else:
            control.ask(self._folder, {"signal": int(number)})

    def _send(self, packet: bytes) -> None:
        self._unsent.append(packet)
        self._flush()

    def _flush(self) -> None:
        with contextlib.suppress(BlockingIOError):
            while self._unsent:
                with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                    self._end.send(self._unsent[0])
                self._unsent.popleft()


def _size() -> Iterator[bytes]:
    """Yield the message with the size of the caller's terminal, where he has one."""
    for fd in (_STDIN, _STDOUT, _STDERR):
        with contextlib.suppress(OSError):
            size = struct.unpack("4H", fcntl.ioctl(fd, termios.TIOCGWINSZ, b"\0" * 8))
            if size[0] and size[1]:
                yield control.packet({"size": size[:2]})
            return


def _write(fd: int, data: bytes) -> None:
    while data:
        data = data[os.write(fd, data) :]
