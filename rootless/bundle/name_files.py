"""/etc/hosts, /etc/hostname, /etc/resolv.conf of a container; pure text."""

import ipaddress
from collections.abc import Sequence

from rootless.errors import InvalidInput

_LOOPBACK = "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n"


def hosts(host_file: str | None, hostname: str, add_hosts: Sequence[str]) -> str:
    """Return /etc/hosts: the host's with its network, else loopback; then one's own lines.

    Args:
        host_file: The host's file where its network is shared, None else.
        hostname: The container's name.
        add_hosts: NAME:ADDRESS each, as `--add-host` has them; they come first and so win.
    """
    lines = []
    for item in add_hosts:
        name, colon, address = item.partition(":")
        if not (name and colon) or any(c.isspace() for c in name):
            raise InvalidInput("--add-host must have the form NAME:ADDRESS", item)
        lines.append(f"{_address(address.strip('[]'), '--add-host')}\t{name}\n")
    base = _LOOPBACK if host_file is None else host_file
    if base and not base.endswith("\n"):
        base += "\n"
    known = {word for line in base.splitlines() for word in line.split("#")[0].split()[1:]}
    own = "" if hostname in known else f"127.0.1.1\t{hostname}\n"
    return "".join(lines) + base + own


def resolv_conf(host_file: str | None, servers: Sequence[str]) -> str:
    """Return /etc/resolv.conf: the named servers in place of the host's, its other lines kept."""
    lines = (host_file or "").splitlines()
    if servers:
        kept = [line for line in lines if not line.lstrip().startswith("nameserver")]
        lines = [*kept, *(f"nameserver {_address(each, '--dns')}" for each in servers)]
    return "".join(f"{line}\n" for line in lines)


def _address(text: str, option: str) -> str:
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        raise InvalidInput(f"{option} needs an IP address", text) from None
