"""slirp4netns's options and command line; its API is tested in tests/run."""

import pytest

from rootless.containers.network import slirp4netns
from rootless.containers.network.network import Network
from rootless.containers.network.ports import PortMapping, parse_publish
from rootless.containers.network.slirp4netns import SlirpOptions, parse_options
from rootless.errors import InvalidInput, RootlessError

HOST = "192.0.2.7"


def test_options_are_podman_s() -> None:
    """Each option of podman-run(1) is understood."""
    assert parse_options(()) == SlirpOptions()
    words = (
        *("allow_host_loopback=true", "cidr=10.9.8.0/24", "enable_ipv6=true", "mtu=1500"),
        *("outbound_addr=eth0", "outbound_addr6=fd00::1", "port_handler=slirp4netns"),
    )
    assert parse_options(words) == SlirpOptions(
        allow_host_loopback=True,
        cidr="10.9.8.0/24",
        enable_ipv6=True,
        mtu=1500,
        outbound_addr="eth0",
        outbound_addr6="fd00::1",
    )


@pytest.mark.parametrize(
    "word",
    [
        *("mtu=big", "mtu=0", "mtu=70000", "mtu", "cidr=10.0.0.0/30", "cidr=10.0.2.1/24"),
        *("cidr=fd00::/64", "enable_ipv6=yes", "color=red", "outbound_addr=", "outbound_addr=-x"),
        *("port_handler=rootlesskit",),
    ],
)
def test_refused(word: str) -> None:
    """What slirp4netns could not do with it is said beforehand."""
    with pytest.raises(InvalidInput, match="not an option of slirp4netns"):
        parse_options((word,))


def test_addresses() -> None:
    """Address and resolver follow the network; the host's loopback is the gateway if allowed."""
    network = slirp4netns.network(("cidr=10.9.8.0/24",), (), HOST)
    assert (network.address, network.resolver) == ("10.9.8.100", "10.9.8.3")
    assert network.host_address == HOST
    network = slirp4netns.network(("allow_host_loopback=true",), (), HOST)
    assert network.host_address == "10.0.2.2"


def test_command() -> None:
    """The host's loopback is closed unless asked for; the API is there where ports are."""
    words = slirp4netns.command(slirp4netns.network((), (), HOST), is_root=True)
    assert {"--disable-host-loopback", "--enable-sandbox", "--ready-fd=0"} <= set(words)
    assert not any(word.startswith("--api-socket") for word in words)
    assert words[-2:] == ["/proc/self/fd/1", "tap0"]
    options = ("allow_host_loopback=true", "outbound_addr=eth0", "enable_ipv6=true")
    network = slirp4netns.network(options, (PortMapping(80, 8080),), HOST)
    words = slirp4netns.command(network, is_root=False)
    assert {"--outbound-addr=eth0", "--enable-ipv6", "--api-socket=slirp4netns.api"} <= set(words)
    assert not {"--disable-host-loopback", "--enable-sandbox"} & set(words)


def test_ipv6_cannot_be_published() -> None:
    """An IPv6 address of the host is refused, and who can is named."""
    with pytest.raises(InvalidInput, match=r"IPv4 addresses only: \[::1\]:8080:80/tcp .*pasta"):
        slirp4netns.network((), (parse_publish("[::1]:8080:80"),), HOST)


def test_nobody_answers(tmp_path: object) -> None:
    """A slirp4netns that has gone is an error, not a wait."""
    network = Network("slirp4netns", ports=(PortMapping(80, 8080),))
    with pytest.raises(RootlessError, match="slirp4netns does not answer"):
        slirp4netns.publish(network, str(tmp_path))
