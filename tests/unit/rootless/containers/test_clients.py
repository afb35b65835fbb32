"""The commands that talk to a container's keeper."""

import select
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from rootless.containers import control
from rootless.containers.clients import Client, Clients
from rootless.linux.channel import Message


class Keeper:
    """A keeper that notes what it is told."""

    def __init__(self, folder: Path) -> None:
        self.clients = Clients(control.listen(folder))
        self.messages: list[Message] = []
        self.input: list[bytes] = []

    def serve(self) -> None:
        """Serve what is there."""
        for _ in range(10):
            poll = select.poll()
            for fd, events in self.clients.interests(takes_input=True).items():
                poll.register(fd, events & select.POLLIN)
            self.clients.serve(dict(poll.poll(0)), self.answer, self.input.append)

    def answer(self, client: Client, message: Message) -> None:
        """Obey."""
        self.messages.append(message)
        client.is_attached = client.is_attached or "attach" in message
        client.waits = client.waits or "wait" in message
        client.follows = client.follows or "follow" in message


@pytest.fixture
def keeper(tmp_path: Path) -> Iterator[Keeper]:
    """Give one, and close it."""
    made = Keeper(tmp_path)
    yield made
    made.clients.close()


def connected(folder: Path, *packets: bytes) -> socket.socket:
    """Return a connection that has sent some packets."""
    end = control.connect(folder)
    assert end is not None
    for packet in packets:
        end.send(packet)
    return end


def test_who_gets_what(keeper: Keeper, tmp_path: Path) -> None:
    """Output is for the attached, growth for followers, the end for both who wait for it."""
    words = ("attach", "wait", "follow")
    ends = [connected(tmp_path, control.packet({word: True})) for word in words]
    keeper.serve()
    assert keeper.messages == [{word: True} for word in words]
    keeper.clients.pass_output(control.STDERR, b"said")
    keeper.clients.tell_end(7)
    keeper.clients.flush()
    keeper.clients.close()
    got = [list(iter(lambda end=end: end.recv(99), b"")) for end in ends]  # type: ignore[misc]
    exited = b'{"exited": 7}'
    assert got == [[control.STDERR + b"said", exited], [exited], [b'{"grown": true}']]
    for end in ends:
        end.close()


def test_input_is_of_the_attached(keeper: Keeper, tmp_path: Path) -> None:
    """Its end is passed as well; from others it ends the connection."""
    attach = control.packet({"attach": True})
    end = connected(tmp_path, attach, control.STDIN + b"in", control.STDIN)
    keeper.serve()
    assert keeper.input == [b"in", b""]
    stranger = connected(tmp_path, control.STDIN + b"x")
    keeper.serve()
    assert stranger.recv(9) == b""
    end.close()
    stranger.close()


@pytest.mark.parametrize("packet", [b"{", b"{]}", b"{\xff"])
def test_what_makes_no_sense(keeper: Keeper, tmp_path: Path, packet: bytes) -> None:
    """It ends the connection, and nobody else's."""
    good = connected(tmp_path, control.packet({"wait": True}))
    bad = connected(tmp_path, packet)
    keeper.serve()
    assert bad.recv(9) == b""
    keeper.clients.tell_end(0)
    assert good.recv(99) == b'{"exited": 0}'
    good.close()
    bad.close()


def test_who_does_not_read(keeper: Keeper, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What he has to read is kept for him, and nothing more is taken from the workload."""
    end = connected(tmp_path, control.packet({"attach": True}))
    keeper.serve()
    data = bytes(control.PIECE)
    count = 0
    while not keeper.clients.are_behind:
        keeper.clients.pass_output(control.STDOUT, data)
        count += 1
    assert count * control.PIECE > 1 << 20
    got = sum(len(end.recv(control.MOST_BYTES)) - 1 for _ in range(3))
    keeper.serve()
    monkeypatch.setattr("rootless.containers.clients._PATIENCE_S", 0.05)
    keeper.clients.flush()  # nobody reads: it gives up
    end.setblocking(False)
    try:
        while True:
            got += len(end.recv(control.MOST_BYTES)) - 1
            keeper.serve()
            keeper.clients.flush()
    except BlockingIOError:
        pass
    assert got == count * control.PIECE
    assert not keeper.clients.are_behind
    end.close()


def test_who_has_gone(keeper: Keeper, tmp_path: Path) -> None:
    """What is for him is dropped."""
    end = connected(tmp_path, control.packet({"attach": True}))
    keeper.serve()
    end.close()
    keeper.clients.pass_output(control.STDOUT, b"x")
    keeper.serve()
    keeper.clients.flush()
    assert list(keeper.clients.interests(takes_input=True).values()) == [select.POLLIN]
