"""The monitor's ends of the workload's standard streams."""

import os
import pty
import select
from collections.abc import Iterator

import pytest

from rootless.containers.control import STDERR, STDOUT
from rootless.containers.workload_streams import WorkloadStreams


@pytest.fixture
def pipes() -> Iterator[WorkloadStreams]:
    """Give pipes with an input."""
    streams = WorkloadStreams(terminal=False, interactive=True)
    yield streams
    streams.close()


def served(streams: WorkloadStreams, *, reads: bool = True) -> list[tuple[bytes, bytes]]:
    """Return the output that is there."""
    poll = select.poll()
    for fd, events in streams.interests(reads=reads).items():
        poll.register(fd, events)
    return list(streams.serve(dict(poll.poll(0))))


def run(streams: WorkloadStreams, script: str) -> int:
    """Run a shell script as the workload; return its process ID."""
    pid = os.fork()
    if pid == 0:
        streams.become_theirs()
        os.execvp("sh", ["sh", "-c", script])
    streams.close_theirs()
    return pid


def test_all_three(pipes: WorkloadStreams) -> None:
    """Outputs come apart, input goes in, and its end."""
    pid = run(pipes, "cat; echo err >&2")
    pipes.feed(b"in")
    pipes.feed(b"")
    os.waitpid(pid, 0)
    assert sorted(pipes.drain()) == [(STDOUT, b"in"), (STDERR, b"err\n")]
    assert pipes.interests(reads=True) == {}
    pipes.feed(b"more")  # nobody is there


def test_input_waits_for_who_reads_it(pipes: WorkloadStreams) -> None:
    """What does not fit is kept, and no more is to be taken meanwhile."""
    pid = run(pipes, "sleep 0.2; cat >/dev/null")
    data = bytes(1 << 20)
    pipes.feed(data)
    assert not pipes.takes_input
    pipes.feed(b"")
    while not pipes.takes_input:
        poll = select.poll()
        for fd, events in pipes.interests(reads=False).items():
            poll.register(fd, events)
        list(pipes.serve(dict(poll.poll(5000))))
    assert os.waitpid(pid, 0)[1] == 0


def test_nobody_reads_the_input(pipes: WorkloadStreams) -> None:
    """It is dropped."""
    os.waitpid(run(pipes, "exit 0"), 0)
    pipes.feed(b"in")
    assert pipes.takes_input


def test_output_is_left_where_it_is(pipes: WorkloadStreams) -> None:
    """Where nobody is to take it, the workload waits."""
    os.waitpid(run(pipes, "echo out"), 0)
    assert served(pipes, reads=False) == []
    assert served(pipes) == [(STDOUT, b"out\n")]


def test_no_input() -> None:
    """Without -i there is nothing to feed."""
    streams = WorkloadStreams(terminal=False, interactive=False)
    streams.feed(b"in")
    assert len(streams.interests(reads=True)) == 2
    streams.close()
    streams.close()


def test_a_terminal() -> None:
    """It has a size from the start, takes an end as a character, and reads as one stream."""
    streams = WorkloadStreams(terminal=True, interactive=True)
    assert streams.interests(reads=True) == {}
    streams.resize(10, 20)
    master, slave = pty.openpty()
    streams.take_terminal(master)
    assert os.get_terminal_size(slave) == (20, 10)
    streams.resize(30, 40)
    assert os.get_terminal_size(slave) == (40, 30)
    streams.feed(b"line\n")
    streams.feed(b"")
    assert (os.read(slave, 99), os.read(slave, 99)) == (b"line\n", b"")
    assert served(streams)[0] == (STDOUT, b"line\r\n")
    os.close(slave)
    assert b"".join(data for _, data in streams.drain()) == b""
    assert streams.interests(reads=True) == {}
    streams.close()
