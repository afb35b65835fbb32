"""`rootless.lazy.demand`: every request is answered, several at once."""

import errno
import os
import socket
import struct
from collections.abc import Iterator
from contextlib import closing

import images
import lazies
import pytest
import trio
import trio.testing

from rootless.image.store import Store
from rootless.lazy.demand import Demand
from rootless.lazy.fetch import Fetch
from rootless.lazy.layer import Layer
from rootless.lazy.pace import Pace

MADE = lazies.made(
    images.LayerBuilder().file("one", os.urandom(5000)).file("two", os.urandom(2 << 20))
)


@pytest.fixture
def layer(store: Store) -> Iterator[Layer]:
    """A layer of two files."""
    with Layer(MADE.staged(store)) as layer:
        yield layer


def answers(
    layer: Layer, remote: lazies.Remote, *requests: tuple[int, int, int, int]
) -> list[tuple[int, ...]]:
    """Send requests, and return the answers until all have come."""
    server, ours = socket.socketpair()

    async def serve() -> None:
        end = trio.SocketStream(trio.socket.from_stdlib_socket(ours))
        demand = Demand(end, {2: layer}, Fetch(remote), Pace())
        async with end, trio.open_nursery() as nursery:
            nursery.start_soon(demand.serve)
            await trio.to_thread.run_sync(talk)

    def talk() -> None:
        with closing(server):
            server.sendall(b"".join(struct.pack("<IIQQ", *request) for request in requests))
            data = b""
            while len(data) < 16 * len(requests):
                data += server.recv(100)
            got.extend(struct.iter_unpack("<IIi4x", data))

    got: list[tuple[int, ...]] = []
    trio.run(serve)
    return sorted(got)


def test_what_is_asked_for_is_there_when_it_is_answered(layer: Layer) -> None:
    """The answer bears the request's numbers; what was asked for is recorded in its order."""
    remote = lazies.Remote(MADE.data)
    assert answers(layer, remote, (2, 7, 5000, 4096), (2, 8, 0, 100)) == [(2, 7, 0), (2, 8, 0)]
    wanted = [*layer.numbers(0, 100), *layer.numbers(5000, 4096)]
    assert layer.absent(wanted) == []
    assert set(layer.order) == set(wanted)
    assert answers(layer, remote, (2, 9, 0, 100)) == [(2, 9, 0)]
    assert set(layer.order) == set(wanted)


def test_what_cannot_be_had_is_an_error_number(layer: Layer) -> None:
    """A lost network, a layer that is not lazy, and bytes that it has not got are EIO."""
    remote = lazies.Remote(MADE.data, is_down=True)
    requests = (2, 1, 0, 100), (0, 2, 0, 100), (2, 3, 1 << 40, 100)
    got = answers(layer, remote, *requests)
    assert got == [(0, 2, errno.EIO), (2, 1, errno.EIO), (2, 3, errno.EIO)]


def test_a_server_that_goes(layer: Layer) -> None:
    """Its end of the socket is the end, whatever is under way."""
    server, ours = socket.socketpair()

    async def serve() -> None:
        remote = lazies.Remote(MADE.data, gate=trio.Event())
        end = trio.SocketStream(trio.socket.from_stdlib_socket(ours))
        demand = Demand(end, {0: layer}, Fetch(remote), Pace())
        with trio.fail_after(5):
            async with end, trio.open_nursery() as nursery:
                nursery.start_soon(demand.serve)
                await trio.testing.wait_all_tasks_blocked()
                server.sendall(struct.pack("<IIQQ", 0, 1, 0, 100))
                await trio.testing.wait_all_tasks_blocked()
                server.close()

    trio.run(serve)
