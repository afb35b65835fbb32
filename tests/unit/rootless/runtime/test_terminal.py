"""The console socket, with a receiver on its other side."""

import os
import socket
from pathlib import Path

import pytest

from rootless.errors import InvalidInput, RootlessError
from rootless.runtime.terminal import ConsoleSocket


def test_the_terminal_is_handed_over(tmp_path: Path) -> None:
    """The receiver gets a descriptor of the same terminal, and a name, as runc sends it."""
    path = str(tmp_path / "socket")
    master, slave = os.openpty()
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen()
        console = ConsoleSocket(path)
        console.send(master)
        console.close()
        connection, _ = listener.accept()
        with connection:
            name, fds, _, _ = socket.recv_fds(connection, 4096, 2)
    assert name == b"/dev/ptmx"
    assert len(fds) == 1
    os.write(fds[0], b"typed\n")
    assert os.read(slave, 16) == b"typed\n"
    for fd in (master, slave, *fds):
        os.close(fd)


def test_nobody_listens(tmp_path: Path) -> None:
    """A socket that is not there, or is no socket, is named."""
    for path in (tmp_path / "none", tmp_path):
        with pytest.raises(InvalidInput, match=f"cannot reach the console socket: .*: {path}"):
            ConsoleSocket(str(path))


def test_the_receiver_is_gone(tmp_path: Path) -> None:
    """A receiver that closes at once is an error, and no signal."""
    path = str(tmp_path / "socket")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen()
        console = ConsoleSocket(path)
        listener.accept()[0].close()
    with pytest.raises(RootlessError, match="the console socket does not take the terminal"):
        console.send(0)
    console.close()
