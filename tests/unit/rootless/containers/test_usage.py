"""One look at what processes or a cgroup use."""

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from rootless.containers import usage

MIB = 1 << 20


@pytest.fixture
def busy() -> Iterator[int]:
    """A process that holds 64 MiB of its own and has used some CPU time, by a child too."""
    read_fd, write_fd = os.pipe()
    pid = os.fork()
    if pid == 0:
        held = bytearray(os.urandom(MIB) * 64)
        child = os.fork()
        deadline = time.process_time() + 0.15
        while time.process_time() < deadline:
            pass
        if child == 0:
            os._exit(0)
        os.waitpid(child, 0)
        os.write(write_fd, bytes(held[:1]))
        signal.pause()
    os.read(read_fd, 1)
    yield pid
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    os.close(read_fd)
    os.close(write_fd)


def test_of_processes(busy: int) -> None:
    """Without a cgroup the processes are added up, children that have ended too."""
    found = usage.look(busy)
    assert found is not None
    assert 0.25 <= found.cpu < 5
    assert 64 * MIB <= found.memory < 1024 * MIB
    assert found.memory_limit > found.memory
    assert found.pids == 1
    assert found.net_in is None
    assert found.block_in is not None
    assert abs(found.at - time.monotonic()) < 5


def test_of_a_cgroup(busy: int, tmp_path: Path) -> None:
    """What the cgroup counts wins; what it does not count is added up."""
    (tmp_path / "cpu.stat").write_text("usage_usec 2500000\n")
    (tmp_path / "memory.current").write_text("5000\n")
    (tmp_path / "memory.max").write_text("9000\n")
    (tmp_path / "memory.stat").write_text("inactive_file 1000\n")
    found = usage.look(busy, str(tmp_path))
    assert found is not None
    assert (found.cpu, found.memory, found.memory_limit) == (2.5, 4000, 9000)
    assert found.pids == 1
    (tmp_path / "pids.current").write_text("7\n")
    (tmp_path / "io.stat").write_text("8:0 rbytes=3 wbytes=4 rios=1 wios=1\n")
    found = usage.look(busy, str(tmp_path))
    assert found is not None
    assert (found.pids, found.block_in, found.block_out) == (7, 3, 4)


def test_network(busy: int) -> None:
    """The interfaces of its network namespace are added up, without the loopback."""
    found = usage.look(busy, own_network=True)
    assert found is not None
    assert found.net_in is not None
    assert found.net_out is not None
    assert min(found.net_in, found.net_out) >= 0


def test_age(busy: int) -> None:
    """Seconds since its start; one that has gone is of no age."""
    assert 0 < usage.age_of(busy) < 60
    assert usage.age_of(1 << 30) == 0
    assert usage.look(1 << 30) is None
