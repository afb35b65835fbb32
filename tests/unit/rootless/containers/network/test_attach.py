"""The supervisor's part, as far as it needs no namespace; the rest is tested in tests/run."""

import socket

import pytest

from rootless.containers.network.attach import attach
from rootless.containers.network.network import Network
from rootless.containers.network.ports import PortMapping
from rootless.errors import Conflict, Precondition


@pytest.mark.parametrize("kind", ["host", "none"])
def test_nothing_to_do(kind: str) -> None:
    """The host's network and none are left to the spec."""
    assert attach(Network(kind), -1, "/") is None


@pytest.mark.parametrize("kind", ["pasta", "slirp4netns"])
def test_ports_come_first(kind: str) -> None:
    """A port in use ends it before a namespace or a program is made."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        ports = (PortMapping(80, server.getsockname()[1], "127.0.0.1"),)
        with pytest.raises(Conflict, match="in use on this host"):
            attach(Network(kind, ports=ports), -1, "/")


@pytest.mark.needs_user
def test_a_namespace_that_may_not_be_entered() -> None:
    """The kernel's refusal is one line."""
    with open("/proc/self/ns/net") as file, pytest.raises(Precondition, match="cannot be joined"):
        attach(Network("ns"), file.fileno(), "/")
