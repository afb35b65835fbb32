"""The gate: a process that waits at a socket in a folder."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from rootless.errors import CannotExecute, Conflict
from rootless.linux.prctl import set_parent_death_signal
from rootless.runtime import gate


@pytest.fixture
def folder_fd(tmp_path: Path) -> Iterator[int]:
    """An open folder, as a state folder is."""
    fd = os.open(tmp_path, os.O_RDONLY | os.O_DIRECTORY)
    yield fd
    os.close(fd)


def waiter(folder_fd: int, error: CannotExecute | None = None) -> int:
    """Fork a process that waits at the gate, and then is `true`, or fails; return its ID."""
    listener = gate.listen(folder_fd)
    read_fd, write_fd = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            set_parent_death_signal(signal.SIGKILL)  # else a failed test leaves it waiting
            wake_fd = gate.expect_signals()
            os.write(write_fd, b"ready")
            report = gate.wait(listener, wake_fd)
            if error is not None:
                report.send({"error": error.to_record()})
                os._exit(error.exit_status)
            listener.close()
            os.execv("/bin/true", ["true"])
        finally:
            os._exit(99)
    listener.close()
    os.read(read_fd, 8)
    os.close(read_fd)
    os.close(write_fd)
    return pid


def end(pid: int) -> int:
    """Wait for a process; return its status, -N for signal N."""
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def test_it_waits_until_it_is_let_go(folder_fd: int) -> None:
    """It waits however often it is asked; once it runs its program nobody waits any more."""
    pid = waiter(folder_fd)
    assert all(gate.is_waiting(folder_fd) for _ in range(3))
    gate.let_go(folder_fd, os.close)
    assert not gate.is_waiting(folder_fd)
    assert end(pid) == 0
    with pytest.raises(Conflict, match="does not wait to be started"):
        gate.let_go(folder_fd, os.close)


def test_a_failure_is_told(folder_fd: int) -> None:
    """What keeps it from executing its program is raised where it was let go."""
    pid = waiter(folder_fd, CannotExecute("cannot execute: it is a folder", "/x"))
    with pytest.raises(CannotExecute, match="it is a folder: /x"):
        gate.let_go(folder_fd, os.close)
    assert end(pid) == 126


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_ends_the_wait(tmp_path: Path, number: int) -> None:
    """A termination signal ends it, also one that comes just before it waits."""
    for turn in range(20):
        folder = tmp_path / str(turn)
        folder.mkdir()
        folder_fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        pid = waiter(folder_fd)
        os.kill(pid, number)
        assert end(pid) == 128 + number
        assert not gate.is_waiting(folder_fd)
        os.close(folder_fd)


def test_nobody_was_ever_there(folder_fd: int) -> None:
    """Without a socket nobody waits."""
    assert not gate.is_waiting(folder_fd)


def test_it_does_not_answer(folder_fd: int) -> None:
    """One that is stopped still waits, however many have asked: the question never blocks."""
    pid = waiter(folder_fd)
    os.kill(pid, signal.SIGSTOP)
    assert all(gate.is_waiting(folder_fd) for _ in range(300))
    os.kill(pid, signal.SIGCONT)
    gate.let_go(folder_fd, os.close)
    assert end(pid) == 0
