"""Messages and descriptors between two processes."""

import os
import socket
from collections.abc import Iterator

import pytest

from rootless.linux.channel import Channel


@pytest.fixture
def ends() -> Iterator[tuple[Channel, Channel]]:
    """Both ends of a channel."""
    one, other = Channel.pair()
    yield one, other
    one.close()
    other.close()


def test_messages_keep_their_borders(ends: tuple[Channel, Channel]) -> None:
    """Two that were sent are two that come, in their order and in both directions."""
    one, other = ends
    assert one.send({"a": 1})
    assert one.send({"b": "ü\n"})
    assert other.send({"c": None})
    assert other.receive() == ({"a": 1}, [])
    assert other.receive() == ({"b": "ü\n"}, [])
    assert one.receive() == ({"c": None}, [])


def test_descriptors_travel(ends: tuple[Channel, Channel]) -> None:
    """A received descriptor is the same open file, and no program that is executed gets it."""
    one, other = ends
    read_fd, write_fd = os.pipe()
    one.send({}, [read_fd, write_fd])
    received = other.receive()
    assert received is not None
    fds = received[1]
    try:
        os.write(write_fd, b"x")
        assert os.read(fds[0], 8) == b"x"
        assert not any(os.get_inheritable(fd) for fd in fds)
    finally:
        for fd in (read_fd, write_fd, *fds):
            os.close(fd)


def test_a_process_is_named_though_it_has_ended(ends: tuple[Channel, Channel]) -> None:
    """Its ID comes beside descriptors, also when it was waited for meanwhile."""
    one, other = ends
    other.learn_processes()
    pid = os.fork()
    if pid == 0:
        one.send({"a": 1}, [0], process=os.getpid())
        os._exit(0)
    os.waitpid(pid, 0)
    received = other.receive()
    assert received is not None
    assert received[0] == {"a": 1, "process": pid}
    os.close(received[1][0])
    one.send({"a": 2})
    assert other.receive() == ({"a": 2}, [])


def test_a_process_is_named_to_who_wants_to_know(ends: tuple[Channel, Channel]) -> None:
    """The other one gets a message without its ID."""
    one, other = ends
    one.send({"a": 1}, process=os.getpid())
    assert other.receive() == ({"a": 1, "process": True}, [])


def test_a_process_that_may_not_be_named_is_left_out(ends: tuple[Channel, Channel]) -> None:
    """Who has no say in its PID namespace names nobody but himself."""
    one, other = ends
    other.learn_processes()
    assert one.send({"a": 1}, process=os.getppid())
    assert other.receive() == ({"a": 1, "process": 0}, [])


def test_end_of_the_other_process_is_told(ends: tuple[Channel, Channel]) -> None:
    """With the other end closed nothing is sent, and nothing comes, without an error."""
    one, other = ends
    other.send({"last": 1})
    other.close()
    assert one.receive() == ({"last": 1}, [])
    assert one.receive() is None
    assert one.send({"a": 1}) is False


def test_shutting_down_ends_both_directions(ends: tuple[Channel, Channel]) -> None:
    """After shut_down the descriptor is open still, and the stream has ended for both."""
    one, other = ends
    one.shut_down()
    assert other.receive() is None
    assert one.receive() is None
    assert one.fileno() >= 0
    one.shut_down()


def test_ends_are_not_inherited(ends: tuple[Channel, Channel]) -> None:
    """A program that is executed does not hold a run open."""
    assert not any(os.get_inheritable(end.fileno()) for end in ends)


def test_unread_data_is_no_error(ends: tuple[Channel, Channel]) -> None:
    """An end that closes with messages unread resets the other, which reads as its end."""
    one, other = ends
    one.send({"unread": 1})
    other.close()
    assert one.receive() is None


def test_it_is_a_channel_of_packets(ends: tuple[Channel, Channel]) -> None:
    """The socket keeps message borders itself."""
    with socket.socket(fileno=os.dup(ends[0].fileno())) as copy:
        assert copy.type == socket.SOCK_SEQPACKET


def test_what_was_said_before_the_end_is_heard(ends: tuple[Channel, Channel]) -> None:
    """Who ends with something unread has said something before, and that comes first."""
    one, other = ends
    assert one.send({"never": "read"})
    assert other.send({"last": "words"})
    other.close()
    assert one.receive() == ({"last": "words"}, [])
    assert one.receive() is None
