"""Ports of the host: free ones are found, and those asked for are tried, by bind(2).

A forwarder's own message names no port, and pasta starts happily where one of its two address
families could be had. Here every port is tried as the forwarder will have it, a moment before.
"""

import contextlib
import errno
import ipaddress
import socket
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from rootless.containers.network.ports import PortMapping
from rootless.errors import Conflict, InvalidInput, Precondition, RootlessError

_FIRST_FREE = "/proc/sys/net/ipv4/ip_unprivileged_port_start"
_TYPES = {"tcp": socket.SOCK_STREAM, "udp": socket.SOCK_DGRAM}


def choose(mappings: Iterable[PortMapping]) -> tuple[PortMapping, ...]:
    """Return the mappings with a free port of the host where none was named."""
    mappings = tuple(mappings)
    named = {(each.protocol, port) for each in mappings for port in each.host_ports()}
    chosen: list[PortMapping] = []
    with contextlib.ExitStack() as held:  # each stays bound until all are known
        for mapping in mappings:
            if mapping.host_port:
                chosen.append(mapping)
                continue
            for each in mapping.singly():
                port = _free_port(each, named, held)
                chosen.append(replace(each, host_port=port, chosen=True))
    return tuple(chosen)


def _free_port(
    mapping: PortMapping, named: set[tuple[str, int]], held: contextlib.ExitStack
) -> int:
    address = mapping.host_ip or "0.0.0.0"  # noqa: S104 - all addresses were asked for
    while True:
        try:
            found = held.enter_context(_bound(mapping, address, 0))
        except OSError as error:
            raise _explain(error, mapping, address, 0) from error
        port: int = found.getsockname()[1]
        if (mapping.protocol, port) not in named:
            return port


def choose_again(mappings: Iterable[PortMapping]) -> tuple[PortMapping, ...]:
    """Return the mappings with another port of the host for a chosen one that is in use by now."""
    mappings = tuple(mappings)
    return choose(
        replace(each, host_port=0) if each.chosen and not _is_free(each) else each
        for each in mappings
    )


def _is_free(mapping: PortMapping) -> bool:
    try:
        check_free([mapping])
    except Conflict:
        return False
    return True


def check_free(mappings: Iterable[PortMapping]) -> None:
    """Try all ports; raises Conflict, Precondition or InvalidInput for the first that fails."""
    for mapping in mappings:
        for address in _addresses(mapping):
            for port in mapping.host_ports():
                try:
                    _bound(mapping, address, port).close()
                except OSError as error:
                    raise _explain(error, mapping, address, port) from error


def _addresses(mapping: PortMapping) -> tuple[str, ...]:
    if mapping.host_ip:
        return (mapping.host_ip,)
    return ("0.0.0.0", "::") if _has_ipv6() else ("0.0.0.0",)  # noqa: S104 - as asked for


def _has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


def _bound(mapping: PortMapping, address: str, port: int) -> socket.socket:
    is_ipv6 = ipaddress.ip_address(address).version == 6
    found = socket.socket(socket.AF_INET6 if is_ipv6 else socket.AF_INET, _TYPES[mapping.protocol])
    try:
        if is_ipv6:
            found.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        if mapping.protocol == "tcp":
            # connections of before may linger, listeners may not; of UDP it would let two share
            found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        found.bind((address, port))
        if mapping.protocol == "tcp":
            found.listen(1)
    except BaseException:
        found.close()
        raise
    return found


def _explain(error: OSError, mapping: PortMapping, address: str, port: int) -> RootlessError:
    on = f"{port}/{mapping.protocol} on {address}"
    inner = mapping.container_port + port - mapping.host_port
    if error.errno == errno.EADDRINUSE:
        return Conflict(
            "the port is in use on this host",
            on,
            f"publish another one, such as -p {_other(port)}:{inner}, or none: -p {inner} "
            "takes a free one",
        )
    if error.errno in (errno.EACCES, errno.EPERM):
        first = _first_unprivileged()
        return Precondition(
            f"ports below {first} are not for ordinary users",
            on,
            f"publish another one, such as -p {_other(port)}:{inner}, or as root: "
            f"sysctl -w net.ipv4.ip_unprivileged_port_start={port}",
            check="network",
        )
    if error.errno == errno.EADDRNOTAVAIL:
        return InvalidInput("this host has no such address", address, "'ip address' lists them")
    return RootlessError(f"the port cannot be published: {error.strerror}", on)


def _other(port: int) -> int:
    """Return a port to suggest: 80 is 8080, 443 is 8443, 8080 is 8081."""
    if port < 1000:
        return 8000 + port
    return port + 1 if port < 65535 else 8080


def _first_unprivileged() -> int:
    try:
        return int(Path(_FIRST_FREE).read_text(encoding="ascii"))
    except (OSError, ValueError):
        return 1024
