"""`--publish`: ports of the host that lead into a container; pure."""

import ipaddress
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from rootless.errors import InvalidInput

PROTOCOLS = ("tcp", "udp")
_HIGHEST = 65535
_PORTS = re.compile(r"([0-9]{1,5})(?:-([0-9]{1,5}))?")
_FORM = "[IP:][HOST]:CONTAINER[/tcp|udp], such as 8080:80, 127.0.0.1:8000-8003:80-83 or 53/udp"


@dataclass(frozen=True, slots=True)
class PortMapping:
    """A published port, or a range of them.

    Attributes:
        container_port: The first one inside.
        host_port: The first one of the host; 0 for one that is to be chosen.
        host_ip: The host's address; "" for all.
        protocol: "tcp" or "udp".
        length: How many, one after the other.
        chosen: The host's was chosen, and may be another one at the next start.
    """

    container_port: int
    host_port: int = 0
    host_ip: str = ""
    protocol: str = "tcp"
    length: int = 1
    chosen: bool = field(default=False, compare=False)

    def __str__(self) -> str:
        host = f"[{self.host_ip}]" if ":" in self.host_ip else self.host_ip
        outside = self._span(self.host_port) if self.host_port else ""
        ends = [host, outside] if host else [outside] if outside else []
        return f"{':'.join([*ends, self._span(self.container_port)])}/{self.protocol}"

    def _span(self, first: int) -> str:
        return f"{first}-{first + self.length - 1}" if self.length > 1 else str(first)

    def host_ports(self) -> range:
        """Return the ports of the host."""
        return range(self.host_port, self.host_port + self.length)

    def singly(self) -> "list[PortMapping]":
        """Return a mapping for each port."""
        return [
            replace(
                self,
                container_port=self.container_port + offset,
                host_port=self.host_port + offset if self.host_port else 0,
                length=1,
            )
            for offset in range(self.length)
        ]

    def to_document(self) -> dict[str, str | int]:
        """Return the JSON object, with podman's keys."""
        return {
            "container_port": self.container_port,
            "host_port": self.host_port,
            "host_ip": self.host_ip,
            "protocol": self.protocol,
            "range": self.length,
        }


def parse_mapping(document: Mapping[str, Any]) -> PortMapping:
    """Read back what `to_document` wrote; raises InvalidInput."""
    try:
        mapping = PortMapping(
            int(document["container_port"]),
            int(document["host_port"]),
            str(document["host_ip"]),
            str(document["protocol"]),
            int(document["range"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise InvalidInput("not a published port", str(document)) from error
    return parse_publish(str(mapping))


def parse_publish(text: str) -> PortMapping:
    """Read a value of `--publish`; raises InvalidInput."""
    rest, slash, protocol = text.partition("/")
    if slash and protocol not in PROTOCOLS:
        raise InvalidInput("only tcp and udp can be published", text, _FORM)
    host, _, container = rest.rpartition(":")
    address, colon, host = host.rpartition(":")
    first, length = _ports(container, text)
    host_first, host_length = _ports(host, text) if host else (0, length)
    if length != host_length:
        raise InvalidInput("the two ranges of ports differ in length", text, _FORM)
    host_ip = _address(address, text) if colon else ""
    return PortMapping(first, host_first, host_ip, protocol or "tcp", length)


def _ports(text: str, whole: str) -> tuple[int, int]:
    """Return the first port and how many."""
    match = _PORTS.fullmatch(text)
    if match is None:
        raise InvalidInput("not a port to publish", whole, _FORM)
    first, last = int(match[1]), int(match[2] or match[1])
    if not 1 <= first <= last <= _HIGHEST:
        raise InvalidInput(f"ports lie between 1 and {_HIGHEST}, the lower one first", whole)
    return first, last - first + 1


def _address(text: str, whole: str) -> str:
    """Return an address in its shortest form; "" for the one that means all, of IPv4."""
    inner = text[1:-1] if text.startswith("[") and text.endswith("]") else text
    try:
        found = ipaddress.ip_address(inner)
    except ValueError:
        raise InvalidInput("not an address of the host", whole, _FORM) from None
    if found.version == 6 and inner == text:
        raise InvalidInput("an IPv6 address needs brackets", whole, f"[{found}]:HOST:CONTAINER")
    return str(found)


def check_disjoint(mappings: Iterable[PortMapping]) -> None:
    """Raise InvalidInput where two mappings want one port of the host."""
    taken: dict[tuple[str, int], list[str]] = {}
    for mapping in mappings:
        for port in mapping.host_ports() if mapping.host_port else ():
            addresses = taken.setdefault((mapping.protocol, port), [])
            if any(_overlap(mapping.host_ip, other) for other in addresses):
                raise InvalidInput("a port is published twice", f"{port}/{mapping.protocol}")
            addresses.append(mapping.host_ip)


def _overlap(one: str, other: str) -> bool:
    if one == other or not one or not other:
        return True
    first, second = ipaddress.ip_address(one), ipaddress.ip_address(other)
    unspecified = first.is_unspecified or second.is_unspecified
    return first.version == second.version and unspecified
