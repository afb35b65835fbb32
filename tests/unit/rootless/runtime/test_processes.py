"""Processes of a PID namespace: this one's own, and a real one with children in it."""

import os
import signal
import subprocess
from collections.abc import Callable, Iterator

import pytest

from rootless.linux.pidfd import wait_end
from rootless.runtime.processes import described, of_container, signal_all


@pytest.fixture
def first() -> Iterator[int]:
    """The first process of a PID namespace, with two children that sleep."""
    words = ("unshare", "--user", "--map-root-user", "--pid", "--fork", "--kill-child")
    script = "sleep 601 & sleep 602 & wait; wait; wait"
    with subprocess.Popen([*words, "sh", "-c", script], start_new_session=True) as process:
        while not (children := children_of(process.pid)):
            continue
        yield children[0]
        process.kill()


def children_of(pid: int) -> list[int]:
    """Return the children of a process."""
    with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
        return [int(word) for word in file.read().split()]


def commands(pid: int) -> set[str]:
    """Return what runs there."""
    return {process.command for process in described(pid)}


@pytest.mark.needs_user
def test_all_of_a_namespace(first: int, wait_until: Callable[[Callable[[], bool]], None]) -> None:
    """They are told with both IDs, and every one gets the signal."""
    wait_until(lambda: {"sleep 601", "sleep 602"} <= commands(first))
    found = {process.pid_inside: process for process in described(first)}
    assert found[1].pid == first
    assert found[1].uid == os.getuid()
    assert sorted(found) == [1, 2, 3]
    assert set(of_container(first)) == {process.pid for process in found.values()}
    fds = [os.pidfd_open(process.pid) for process in found.values()]
    signal_all(first, fds[0], signal.SIGKILL)
    assert all(wait_end(fd, 10) for fd in fds)
    for fd in fds:
        os.close(fd)


def test_one_in_the_callers_namespace() -> None:
    """A process that has no namespace of its own is alone, whatever else runs there."""
    with subprocess.Popen(["sleep", "600"]) as process:
        assert list(of_container(process.pid)) == [process.pid]
        (found,) = described(process.pid)
        assert (found.pid, found.pid_inside, found.uid) == (process.pid, process.pid, os.geteuid())
        fd = os.pidfd_open(process.pid)
        signal_all(process.pid, fd, signal.SIGKILL)
        assert wait_end(fd, 10)
        os.close(fd)
        assert [item.command for item in described(process.pid)] in ([], ["[sleep]"])  # a zombie


def test_none() -> None:
    """One that has ended has no processes to be told of."""
    with subprocess.Popen(["true"]) as process:
        process.wait()
    assert list(described(process.pid)) == []
