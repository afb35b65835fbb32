"""The processes of a container."""

import os
import signal
from collections.abc import Iterator

import pytest

from rootless.containers.processes import processes_of, stat_fields


@pytest.fixture
def family() -> Iterator[tuple[int, int, int]]:
    """A process, its child and its grandchild; nobody else's."""
    read_fd, write_fd = os.pipe()
    first = os.fork()
    if first == 0:
        child = os.fork()
        if child == 0:
            grandchild = os.fork()
            if grandchild == 0:
                signal.pause()
            os.write(write_fd, f"{os.getpid()} {grandchild}".encode())
        signal.pause()
    child, grandchild = map(int, os.read(read_fd, 64).split())
    yield first, child, grandchild
    for pid in (grandchild, child, first):
        os.kill(pid, signal.SIGKILL)
    os.waitpid(first, 0)
    os.close(read_fd)
    os.close(write_fd)


def test_descendants(family: tuple[int, int, int]) -> None:
    """The first comes first, then its descendants; others of the host's namespace do not count."""
    assert processes_of(family[0])[0] == family[0]
    assert processes_of(family[0]) == (family[0], *sorted(family[1:]))
    assert processes_of(family[2]) == (family[2],)


def test_nobody() -> None:
    """One that is not there has none."""
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    os.waitpid(pid, 0)
    assert processes_of(pid) == ()


def test_fields(family: tuple[int, int, int]) -> None:
    """The fields of proc(5), whatever the process is called."""
    assert int(stat_fields(family[1])[1]) == family[0]
    with pytest.raises(FileNotFoundError):
        stat_fields(1 << 30)
