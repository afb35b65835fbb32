"""Ports of this host, by binding them."""

import socket

import pytest

from rootless.containers.network.host_ports import check_free, choose, choose_again
from rootless.containers.network.ports import PortMapping, parse_publish
from rootless.errors import Conflict, InvalidInput, Precondition


def taken(kind: socket.SocketKind, address: str = "127.0.0.1") -> socket.socket:
    """Return a socket that has a port."""
    found = socket.socket(socket.AF_INET, kind)
    found.bind((address, 0))
    if kind is socket.SOCK_STREAM:
        found.listen(1)
    return found


@pytest.mark.parametrize(
    ("kind", "protocol"), [(socket.SOCK_STREAM, "tcp"), (socket.SOCK_DGRAM, "udp")]
)
def test_in_use(kind: socket.SocketKind, protocol: str) -> None:
    """A port that another process has is named, also where all addresses were asked for."""
    with taken(kind) as other:
        port = other.getsockname()[1]
        for text in (f"{port}:80/{protocol}", f"127.0.0.1:{port}:80/{protocol}"):
            with pytest.raises(Conflict, match=rf"in use on this host: {port}/{protocol} on"):
                check_free([parse_publish(text)])
    check_free([parse_publish(f"{port}:80/{protocol}")])


def test_the_port_of_a_range() -> None:
    """Of a range, the port that is in use is the one named, with what would lead there."""
    with taken(socket.SOCK_STREAM) as other:
        port = other.getsockname()[1]
        with pytest.raises(Conflict, match=rf"{port}/tcp .*-p {port + 1}:81"):
            check_free([PortMapping(80, port - 1, "127.0.0.1", length=2)])


@pytest.mark.needs_user
def test_low_port() -> None:
    """A port of root's: the limit, the port, another one and root's way are said."""
    with pytest.raises(Precondition) as caught:
        check_free([PortMapping(80, 81)])
    said = str(caught.value)
    assert "ports below 1024" in said
    assert "81/tcp on 0.0.0.0" in said
    assert "-p 8081:80" in said
    assert "net.ipv4.ip_unprivileged_port_start=81" in said
    assert caught.value.check == "network"


def test_address_of_another_host() -> None:
    """An address that no interface has is refused, also before a port is chosen."""
    for text in ("203.0.113.9:8080:80", "203.0.113.9::80"):
        with pytest.raises(InvalidInput, match=r"no such address: 203\.0\.113\.9"):
            check_free(choose([parse_publish(text)]))


def test_chosen() -> None:
    """Where no port of the host was named, a free one is; what was named stays."""
    named = PortMapping(80, 8080)
    chosen = choose([named, PortMapping(90, length=3), PortMapping(53, protocol="udp")])
    assert chosen[0] == named
    assert [each.container_port for each in chosen[1:]] == [90, 91, 92, 53]
    ports = [each.host_port for each in chosen[1:]]
    assert all(port >= 1024 for port in ports)
    check_free(chosen[1:])


def test_a_closed_connection_does_not_hold_its_port() -> None:
    """A port whose last connection lingers (TIME_WAIT) can be published again."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with socket.create_connection(server.getsockname()) as client:
            accepted, _ = server.accept()
            accepted.close()
            assert client.recv(1) == b""
    check_free([PortMapping(80, port, "127.0.0.1")])


def test_chosen_ones_differ() -> None:
    """No two get the same port, nor one that is named beside them."""
    named = choose([PortMapping(1)])[0]
    chosen = choose([*(PortMapping(port) for port in range(2, 40)), named])
    assert len({each.host_port for each in chosen}) == 39
    assert all(each.chosen for each in chosen)


def test_another_one_where_it_is_in_use() -> None:
    """A port that was chosen gives way to who has it by now, one that was named does not."""
    with taken(socket.SOCK_STREAM) as other:
        port = other.getsockname()[1]
        chosen = PortMapping(80, port, "127.0.0.1", chosen=True)
        (again,) = choose_again([chosen])
        assert again.host_port not in (0, port)
        assert choose_again([again, PortMapping(80, port)]) == (again, PortMapping(80, port))
