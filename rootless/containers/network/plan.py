"""From `--network` and `--publish` to a network, by what this host has."""

import logging
import os
import shutil
import socket
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from rootless.containers.joined import NETWORK, is_own
from rootless.containers.network import host_ports, pasta, slirp4netns
from rootless.containers.network.mode import Kind, NetworkMode
from rootless.containers.network.network import JOINED, Network
from rootless.containers.network.ports import PortMapping, check_disjoint
from rootless.errors import InvalidInput, Precondition

log = logging.getLogger(__name__)

_ROUTES = "/proc/net/route"
_ROUTES6 = "/proc/net/ipv6_route"
# connect(2) of a datagram socket sends nothing: it asks for the route (RFC 5737's address)
_ELSEWHERE = ("198.51.100.1", 9)
_LOOPBACK = "127.0.0.1"


def plan(mode: NetworkMode, ports: Iterable[PortMapping]) -> Network:
    """Return a container's network; ports of the host are chosen where none was named.

    Raises:
        InvalidInput: Options that contradict or are not understood.
        Conflict: No port is free.
        Precondition: No program for a network of one's own is installed.
    """
    ports = tuple(ports)
    if mode.kind in (Kind.HOST, Kind.NONE) or mode.is_joined:
        return _without_forwarder(mode, ports)
    check_disjoint(ports)
    ports = host_ports.choose(ports)
    kind = choose_forwarder() if mode.kind is Kind.PRIVATE else mode.kind
    if kind is Kind.PASTA:
        return pasta.network(mode.options, ports, _host_address())
    return slirp4netns.network(mode.options, ports, _host_address())


def _without_forwarder(mode: NetworkMode, ports: tuple[PortMapping, ...]) -> Network:
    if mode.kind is Kind.HOST:
        if ports:
            log.warning("with the host's network every port is there already: nothing is published")
        return Network(host_address=_LOOPBACK)
    check_none_published(mode, ports)
    if mode.kind is Kind.NONE:
        return Network("none")
    return joined(mode.target)


def check_none_published(mode: NetworkMode, ports: tuple[PortMapping, ...]) -> None:
    """Raise InvalidInput where ports are to be published from a network that has no forwarder."""
    if ports:
        raise InvalidInput(
            f"ports cannot be published with --network {mode}",
            str(ports[0]),
            "the network must be one of private, pasta, slirp4netns",
        )


def joined(path: str, like: Network | None = None, container: str = "") -> Network:
    """Return the network of a namespace that is there already.

    Args:
        path: Such as /proc/PID/ns/net.
        like: The network of the container whose namespace it is: its addresses are known then.
        container: The ID of that container.
    """
    if is_own(NETWORK, path):
        return Network(host_address=_LOOPBACK)
    like = like or Network()
    return replace(like, kind=JOINED, options=(), ports=(), path=path, container=container)


def choose_forwarder() -> Kind:
    """Return pasta where it is installed and finds a route, else slirp4netns."""
    has_pasta, has_slirp = (shutil.which(name) is not None for name in ("pasta", "slirp4netns"))
    if has_pasta and (not has_slirp or has_route()):
        return Kind.PASTA
    if has_slirp:
        return Kind.SLIRP4NETNS
    raise Precondition(
        "a network of one's own needs pasta or slirp4netns, and neither is installed",
        fix="as root: apt-get install passt; --network host and none do without",
        check="network",
    )


def has_route() -> bool:
    """Tell whether the host has a default route, without which pasta refuses to start."""
    routes = [line.split() for line in _lines(_ROUTES)[1:]]
    if any(len(words) > 7 and words[1] == words[7] == "00000000" for words in routes):
        return True
    routes = [line.split() for line in _lines(_ROUTES6)]
    return any(len(words) > 9 and words[1] == "00" and words[9] != "lo" for words in routes)


def _lines(path: str) -> list[str]:
    try:
        return Path(path).read_text(encoding="ascii").splitlines()
    except OSError:
        return []


def _host_address() -> str:
    """Return the IPv4 address that this host is reached by, "" where it has none."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as probe:
        try:
            probe.connect(_ELSEWHERE)
        except OSError:
            return ""
        address: str = probe.getsockname()[0]
    return address


def word_for_spec(network: Network) -> str:
    """Return what the bundle says of it: "host", "none" for one of its own, or ns:PATH."""
    if network.kind == "host":
        return "host"
    return f"ns:{os.path.abspath(network.path)}" if network.kind == JOINED else "none"
