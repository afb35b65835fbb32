"""Processes held by pidfds: real ones that sleep."""

import os
import signal
import subprocess
from collections.abc import Iterator

import pytest

from rootless.linux.pidfd import kill_and_wait, open_process, send_signal, start_time, wait_end


@pytest.fixture
def sleeper() -> Iterator["subprocess.Popen[bytes]"]:
    """A process that sleeps; killed and waited for in the end."""
    with subprocess.Popen(["sleep", "600"]) as process:
        yield process
        process.kill()


def test_a_process_is_its_id_and_start_time(sleeper: "subprocess.Popen[bytes]") -> None:
    """It is opened by both; another time is another process."""
    started = start_time(sleeper.pid)
    assert started is not None
    fd = open_process(sleeper.pid, started)
    assert fd is not None
    assert open_process(sleeper.pid, started + 1) is None
    assert not wait_end(fd, 0)
    assert kill_and_wait(fd, 10)
    os.close(fd)


def test_a_zombie_has_ended(sleeper: "subprocess.Popen[bytes]") -> None:
    """A process that nobody has waited for has no start time, and cannot be opened."""
    started = start_time(sleeper.pid)
    assert started is not None
    sleeper.kill()
    os.waitid(os.P_PID, sleeper.pid, os.WEXITED | os.WNOWAIT)
    assert start_time(sleeper.pid) is None
    assert open_process(sleeper.pid, started) is None


def test_one_that_is_gone(sleeper: "subprocess.Popen[bytes]") -> None:
    """Neither has one that is gone; and a pidfd of it takes no signal, whoever has its ID."""
    started = start_time(sleeper.pid)
    assert started is not None
    fd = open_process(sleeper.pid, started)
    assert fd is not None
    sleeper.kill()
    sleeper.wait()
    assert start_time(sleeper.pid) is None
    assert open_process(sleeper.pid, started) is None
    assert not send_signal(fd, signal.SIGTERM)
    assert kill_and_wait(fd, 0)
    os.close(fd)


def test_a_name_with_anything_in_it() -> None:
    """proc(5): the name may hold spaces and brackets, and is not to be parsed."""
    read_fd, write_fd = os.pipe()
    pid = os.fork()
    if pid == 0:
        with open("/proc/self/comm", "w", encoding="ascii") as file:
            file.write("a) Z 1 (b")
        os.write(write_fd, b"named")
        signal.pause()
    os.read(read_fd, 8)
    try:
        assert start_time(pid) == int(field(pid, 22))
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        os.close(read_fd)
        os.close(write_fd)


def field(pid: int, number: int) -> str:
    """Return a field of /proc/PID/stat, counted from 1, as the last bracket shows it."""
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        return file.read().rpartition(") ")[2].split()[number - 3]


def test_a_signal_arrives(sleeper: "subprocess.Popen[bytes]") -> None:
    """What is sent is what ends it."""
    started = start_time(sleeper.pid)
    assert started is not None
    fd = open_process(sleeper.pid, started)
    assert fd is not None
    assert send_signal(fd, signal.SIGTERM)
    assert wait_end(fd, 10)
    os.close(fd)
    assert sleeper.wait() == -signal.SIGTERM
