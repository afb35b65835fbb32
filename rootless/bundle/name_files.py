"""/etc/hosts, /etc/hostname, /etc/resolv.conf of a container; pure text."""

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass

from rootless.errors import InvalidInput

# What podman and Docker call the host, as seen from a container.
HOST_NAMES = ("host.containers.internal", "host.docker.internal")

_LOOPBACK = "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n"
_HOST_GATEWAY = "host-gateway"


@dataclass(frozen=True, slots=True)
class Surroundings:
    """How a container sees its network.

    Attributes:
        is_host: It is the host's own: the host's files hold as they are.
        address: The container's; "" where it is not known.
        host_address: The host's; "" where there is no way to it.
        resolver: What stands for a name server on the host's loopback; "" for nothing.
    """

    is_host: bool
    address: str = ""
    host_address: str = ""
    resolver: str = ""


@dataclass(frozen=True, slots=True)
class Dns:
    """What was asked for: `--dns`, `--dns-search`, `--dns-option`; empty for the host's."""

    servers: tuple[str, ...] = ()
    search: tuple[str, ...] = ()
    options: tuple[str, ...] = ()

    @property
    def is_image_s(self) -> bool:
        """Tell whether the image's own file stays: `--dns none`."""
        return self.servers == ("none",)


def hosts(
    host_file: str | None, hostname: str, add_hosts: Sequence[str], around: Surroundings
) -> str:
    """Return /etc/hosts: the host's with its network, else loopback; then one's own lines.

    Args:
        host_file: The host's file where its network is shared, None else.
        hostname: The container's name.
        add_hosts: NAME:ADDRESS each, as `--add-host` has them; they come first and so win.
        around: The network.
    """
    lines = [_host_line(item, around) for item in add_hosts]
    base = _LOOPBACK if host_file is None else host_file
    if base and not base.endswith("\n"):
        base += "\n"
    known = {word for line in base.splitlines() for word in line.split("#")[0].split()[1:]}
    own = "" if hostname in known else f"{around.address or '127.0.1.1'}\t{hostname}\n"
    host = ""
    if around.host_address and not around.is_host:
        host = f"{around.host_address}\t{' '.join(HOST_NAMES)}\n"
    return "".join(lines) + base + own + host


def _host_line(item: str, around: Surroundings) -> str:
    name, colon, address = item.partition(":")
    if not (name and colon) or any(c.isspace() for c in name):
        raise InvalidInput("--add-host must have the form NAME:ADDRESS", item)
    if address == _HOST_GATEWAY:
        if not around.host_address:
            raise InvalidInput("the host cannot be reached from this network", item)
        address = around.host_address
    return f"{_address(address.strip('[]'), '--add-host')}\t{name}\n"


def resolv_conf(host_file: str | None, dns: Dns, around: Surroundings) -> str:
    """Return /etc/resolv.conf: the host's, with what was asked for in place of its lines.

    In a network of its own a container reaches no name server on the host's loopback, nor one
    that is given with an interface of the host: the network's resolver stands in for them.
    """
    lines = (host_file or "").splitlines()
    if dns.servers:
        servers = [_address(each, "--dns") for each in dns.servers]
    else:
        words = [line.split() for line in lines]
        servers = [word[1] for word in words if len(word) > 1 and word[0] == "nameserver"]
        if not around.is_host:
            servers = _reachable(servers, around.resolver)
    kept = [line for line in lines if not _is_replaced(line, dns, around)]
    search = [each for each in dns.search if each != "."]
    if search:
        kept.append(f"search {' '.join(_word(each, '--dns-search') for each in search)}")
    if dns.options:
        kept.append(f"options {' '.join(_word(each, '--dns-option') for each in dns.options)}")
    if dns.servers or not around.is_host:
        kept += [f"nameserver {each}" for each in servers]
    return "".join(f"{line}\n" for line in kept)


def _is_replaced(line: str, dns: Dns, around: Surroundings) -> bool:
    word = (line.split() or [""])[0]
    return (
        (word == "nameserver" and (bool(dns.servers) or not around.is_host))
        or (word in ("search", "domain") and bool(dns.search))
        or (word == "options" and bool(dns.options))
    )


def _reachable(servers: Sequence[str], resolver: str) -> list[str]:
    found: list[str] = []
    for server in servers:
        reached = resolver if _is_host_s_own(server) else server
        if reached and reached not in found:
            found.append(reached)
    return found or ([resolver] if resolver else [])


def _is_host_s_own(server: str) -> bool:
    try:
        return "%" in server or ipaddress.ip_address(server).is_loopback
    except ValueError:
        return True  # nothing that a resolver could use


def _address(text: str, option: str) -> str:
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        raise InvalidInput(f"{option} needs an IP address", text) from None


def _word(text: str, option: str) -> str:
    if not text or any(c.isspace() or not c.isprintable() for c in text):
        raise InvalidInput(f"{option} needs one word", text)
    return text
