"""slirp4netns: its command line and the API by which it publishes ports (slirp4netns(1), 1.0).

A TCP stack in a process: slower than pasta, older, and content without a route on the host.
"""

import ipaddress
import json
import os
import socket
from dataclasses import dataclass

from rootless.containers.network.forwarder import NAMESPACE, READY
from rootless.containers.network.network import Network
from rootless.containers.network.ports import PortMapping
from rootless.errors import InvalidInput, RootlessError

API_SOCKET = "slirp4netns.api"
_TAP = "tap0"
_CIDR = "10.0.2.0/24"
_MTU = 65520
_BOOLEANS = {"true": True, "false": False}
_FORM = (
    "allow_host_loopback=true|false, cidr=CIDR, enable_ipv6=true|false, mtu=N, "
    "outbound_addr=ADDRESS|INTERFACE, outbound_addr6=ADDRESS|INTERFACE"
)


@dataclass(frozen=True, slots=True)
class SlirpOptions:
    """What podman takes after `slirp4netns:`.

    Attributes:
        allow_host_loopback: The gateway is the host's loopback.
        cidr: The container's network: its 100th address is the container's, its second the
            gateway's, its third the resolver's.
        enable_ipv6: Off unless asked for: the address comes by advertisement, after the start.
        mtu: Of the tap device.
        outbound_addr: The source of what goes out.
        outbound_addr6: The same for IPv6.
    """

    allow_host_loopback: bool = False
    cidr: str = _CIDR
    enable_ipv6: bool = False
    mtu: int = _MTU
    outbound_addr: str = ""
    outbound_addr6: str = ""

    def address(self, number: int) -> str:
        """Return an address of the network."""
        return str(ipaddress.IPv4Network(self.cidr)[number])


def parse_options(words: tuple[str, ...]) -> SlirpOptions:
    """Read the options; raises InvalidInput."""
    found: dict[str, bool | int | str] = {}
    for word in words:
        name, _, value = word.partition("=")
        if (name, value) == ("port_handler", "slirp4netns"):
            continue  # which is the only one here
        found[name] = _parse_option(word, name, value)
    return SlirpOptions(**found)  # type: ignore[arg-type]


def _parse_option(word: str, name: str, value: str) -> bool | int | str:
    if name in ("allow_host_loopback", "enable_ipv6") and value in _BOOLEANS:
        return _BOOLEANS[value]
    if name == "mtu" and value.isascii() and value.isdecimal() and 68 <= int(value) <= 65521:
        return int(value)
    if name == "cidr" and _is_network(value):
        return value
    if name in ("outbound_addr", "outbound_addr6") and value and not value.startswith("-"):
        return value
    raise InvalidInput("not an option of slirp4netns", word, _FORM)


def _is_network(text: str) -> bool:
    try:
        found = ipaddress.IPv4Network(text)
    except ValueError:
        return False
    return found.prefixlen <= 25  # slirp4netns takes the 100th address


def network(options: tuple[str, ...], ports: tuple[PortMapping, ...], host: str) -> Network:
    """Return the network with the user's options; raises InvalidInput. See `pasta.network`."""
    parsed = parse_options(options)
    for mapping in ports:
        if ":" in mapping.host_ip:
            raise InvalidInput(
                "slirp4netns publishes on IPv4 addresses only", str(mapping), "--network pasta can"
            )
    host = parsed.address(2) if parsed.allow_host_loopback else host
    return Network("slirp4netns", options, ports, "", parsed.address(100), parsed.address(3), host)


def command(network: Network, *, is_root: bool) -> list[str]:
    """Return the argument list, for a caller who is UID 0 in his user namespace or is not."""
    options = parse_options(network.options)
    words = ["slirp4netns", "--configure", "--enable-seccomp"]
    if is_root:
        words.append("--enable-sandbox")  # it would become UID 0, which keep-id may not map
    words += [f"--mtu={options.mtu}", f"--cidr={options.cidr}"]
    if not options.allow_host_loopback:
        words.append("--disable-host-loopback")
    if options.enable_ipv6:
        words.append("--enable-ipv6")
    if options.outbound_addr:
        words.append(f"--outbound-addr={options.outbound_addr}")
    if options.outbound_addr6:
        words.append(f"--outbound-addr6={options.outbound_addr6}")
    if network.ports:
        words.append(f"--api-socket={API_SOCKET}")
    ready_fd = READY.rpartition("/")[2]
    return [*words, f"--ready-fd={ready_fd}", "--netns-type=path", NAMESPACE, _TAP]


def publish(network: Network, folder: str) -> None:
    """Have a running slirp4netns forward the ports; raises RootlessError."""
    folder_fd = os.open(folder, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        # by descriptor: the name of a socket has 107 bytes at most (unix(7))
        path = f"/proc/self/fd/{folder_fd}/{API_SOCKET}"
        for mapping in network.ports:
            for each in mapping.singly():
                _publish_one(path, each)
    finally:
        os.close(folder_fd)


def _publish_one(path: str, mapping: PortMapping) -> None:
    arguments = {
        "proto": mapping.protocol,
        "host_addr": mapping.host_ip or "0.0.0.0",  # noqa: S104 - all were asked for
        "host_port": mapping.host_port,
        "guest_port": mapping.container_port,
    }
    answer = _ask(path, {"execute": "add_hostfwd", "arguments": arguments})
    if "error" in answer:
        raise RootlessError(
            "slirp4netns could not publish the port", str(mapping), "it may be in use meanwhile"
        )


def _ask(path: str, request: dict[str, object]) -> dict[str, object]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC) as connection:
        try:
            connection.connect(path)
            connection.sendall(json.dumps(request).encode())
            connection.shutdown(socket.SHUT_WR)
            with connection.makefile("rb") as answer:
                found = json.loads(answer.read())
        except (OSError, ValueError) as error:
            raise RootlessError("slirp4netns does not answer", str(error)) from error
    return found if isinstance(found, dict) else {}
