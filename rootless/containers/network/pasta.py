"""pasta (Debian package passt): its command line, of 2023-03 and later (passt(1)); pure.

The container gets an IPv4 address of its own, the one that slirp4netns gives: with the host's
address, pasta's own default, the host itself could not be reached. IPv6 is the host's, if any.
"""

from collections.abc import Iterable, Sequence

from rootless.containers.network.forwarder import NAMESPACE, READY
from rootless.containers.network.network import Network
from rootless.containers.network.ports import PortMapping
from rootless.errors import InvalidInput

ADDRESS = "10.0.2.100"
GATEWAY = "10.0.2.2"
RESOLVER = "10.0.2.3"
_NETMASK = "24"

# podman's word for leaving --no-map-gw out: the gateway is the host's loopback
_MAP_GATEWAY = "--map-gw"
_ADDRESS = ("-a", "--address")
_GATEWAY = ("-g", "--gateway")
_FORWARD_DNS = ("--dns-forward",)
# Options that say which address a container has.
_ADDRESSING = (
    *_ADDRESS,
    *_GATEWAY,
    *("-n", "--netmask", "-i", "--interface", "-6", "--ipv6-only"),
)
_OURS = (
    *("-f", "--foreground", "-P", "--pid", "--netns", "--userns", "--netns-only", "-h", "--help"),
    *("--no-netns-quit", "--config-net", "--runas", "--version", "-l", "--log-file", "-e"),
)
_PORT_OPTIONS = (
    ("-t", "--tcp-ports"),
    ("-u", "--udp-ports"),
    ("-T", "--tcp-ns"),
    ("-U", "--udp-ns"),
)


def network(options: tuple[str, ...], ports: tuple[PortMapping, ...], host: str) -> Network:
    """Return the network with the user's options; raises InvalidInput.

    Args:
        options: Words of pasta's command line.
        ports: What is published.
        host: An address of the host that others reach it by, "" for none.
    """
    for word in options:
        if _name(word) in _OURS:
            raise InvalidInput("the option of pasta is not yours to give", word)
    own = not _has(options, _ADDRESSING)
    address = ADDRESS if own else _value(options, _ADDRESS)
    gateway = GATEWAY if own else _value(options, _GATEWAY)
    if _has(options, (_MAP_GATEWAY,)):
        host = gateway
    elif not own:
        host = ""  # it may be the container's own
    resolver = _value(options, _FORWARD_DNS) or RESOLVER
    return Network("pasta", options, ports, "", address, resolver, host)


def command(network: Network) -> list[str]:
    """Return the argument list."""
    options = network.options
    words = ["pasta", "--config-net", "--foreground", "--quiet", "--no-netns-quit"]
    words += ["--pid", READY, "--netns", NAMESPACE]
    if not _has(options, _ADDRESSING):
        words += ["--address", ADDRESS, "--netmask", _NETMASK, "--gateway", GATEWAY]
    if not _has(options, _FORWARD_DNS):
        words += ["--dns-forward", network.resolver]
    if not _has(options, (_MAP_GATEWAY,)):
        words.append("--no-map-gw")
    for mapping in network.ports:
        words += ["-t" if mapping.protocol == "tcp" else "-u", port_spec(mapping)]
    published = {mapping.protocol for mapping in network.ports}
    for names, protocol in zip(_PORT_OPTIONS, ("tcp", "udp", "", ""), strict=True):
        if protocol not in published and not _has(options, names):
            words += [names[0], "none"]  # pasta's default is to forward what is bound
    return [*words, *(word for word in options if word != _MAP_GATEWAY)]


def port_spec(mapping: PortMapping) -> str:
    """Return a value of -t or -u."""

    def span(first: int) -> str:
        return f"{first}-{first + mapping.length - 1}" if mapping.length > 1 else str(first)

    address = f"{mapping.host_ip}/" if mapping.host_ip else ""
    return f"{address}{span(mapping.host_port)}:{span(mapping.container_port)}"


def _name(word: str) -> str:
    """Return the option's name in a word, "" where it is a value."""
    if word.startswith("--"):
        return word.partition("=")[0]
    return word[:2] if word.startswith("-") else ""


def _has(options: Iterable[str], names: Sequence[str]) -> bool:
    return any(_name(word) in names for word in options)


def _value(options: Sequence[str], names: Sequence[str]) -> str:
    """Return the value of an option: in the same word or the next one."""
    for word, after in zip(options, [*options[1:], ""], strict=False):
        name = _name(word)
        if name in names:
            return word[len(name) :].removeprefix("=") or after
    return ""
