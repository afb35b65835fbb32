"""/etc/hosts and /etc/resolv.conf."""

from dataclasses import replace

import pytest

from rootless.bundle.name_files import HOST_NAMES, Dns, Surroundings, hosts, resolv_conf
from rootless.errors import InvalidInput

HOST = Surroundings(is_host=True, host_address="127.0.0.1")
NONE = Surroundings(is_host=False)
OWN = Surroundings(False, "10.0.2.100", "192.0.2.7", "10.0.2.3")


def addresses(text: str) -> dict[str, list[str]]:
    """Return the addresses of each name, in their order."""
    found: dict[str, list[str]] = {}
    for line in text.splitlines():
        address, *names = line.split("#")[0].split() or [""]
        for name in names:
            found.setdefault(name, []).append(address)
    return found


def test_own_network_has_loopback_and_its_own_name() -> None:
    """Without the host's network the file names localhost and the container."""
    found = addresses(hosts(None, "box", [], NONE))
    assert found["localhost"] == ["127.0.0.1", "::1"]
    assert found["box"] == ["127.0.1.1"]
    assert not set(HOST_NAMES) & set(found)


def test_private_network_has_the_host_too() -> None:
    """With an address of its own the container has that one, and the host podman's names."""
    found = addresses(hosts(None, "box", [], OWN))
    assert found["box"] == ["10.0.2.100"]
    assert {name: found[name] for name in HOST_NAMES} == {
        name: ["192.0.2.7"] for name in HOST_NAMES
    }
    assert not set(HOST_NAMES) & set(addresses(hosts(None, "b", [], replace(OWN, host_address=""))))


def test_host_network_has_the_host_s_lines() -> None:
    """With it the host's file is kept; a name that it has is not named again."""
    host = "10.0.0.1 gate # box\n10.0.0.2 other"
    assert hosts(host, "box", [], HOST) == f"{host}\n127.0.1.1\tbox\n"
    assert hosts("10.0.0.1 gate box\n", "box", [], HOST) == "10.0.0.1 gate box\n"
    assert hosts("", "box", [], HOST) == "127.0.1.1\tbox\n"


def test_own_lines_come_first() -> None:
    """The first line of a name wins, so --add-host goes before the host's file."""
    text = hosts("10.0.0.1 db\n", "box", ["db:192.168.0.9", "six:[fe80::1]", "v6:::1"], HOST)
    assert addresses(text)["db"] == ["192.168.0.9", "10.0.0.1"]
    assert addresses(text)["six"] == ["fe80::1"]
    assert addresses(text)["v6"] == ["::1"]


def test_host_gateway() -> None:
    """host-gateway is the host as this network reaches it; where it does not, that is said."""
    assert addresses(hosts(None, "b", ["up:host-gateway"], OWN))["up"] == ["192.0.2.7"]
    assert addresses(hosts("", "b", ["up:host-gateway"], HOST))["up"] == ["127.0.0.1"]
    with pytest.raises(InvalidInput, match="cannot be reached from this network"):
        hosts(None, "b", ["up:host-gateway"], NONE)


@pytest.mark.parametrize(
    ("item", "fault"),
    [
        ("db", "NAME:ADDRESS"),
        (":1.2.3.4", "NAME:ADDRESS"),
        ("a b:1.2.3.4", "NAME:ADDRESS"),
        ("a\n1.1.1.1 bank.example:1.2.3.4", "NAME:ADDRESS"),
        ("db:", "needs an IP address"),
        ("db:host", "needs an IP address"),
        ("db:1.2.3.4\n6.6.6.6 x", "needs an IP address"),
    ],
)
def test_no_host(item: str, fault: str) -> None:
    """What would put other lines into the file is refused."""
    with pytest.raises(InvalidInput, match=fault):
        hosts(None, "box", [item], NONE)


def test_name_servers() -> None:
    """--dns replaces the host's servers and keeps its other lines."""
    host = "search lan\nnameserver 10.0.0.1\n nameserver 10.0.0.2\noptions edns0"
    assert resolv_conf(host, Dns(), HOST) == host + "\n"
    for around in (HOST, OWN):
        assert resolv_conf(host, Dns(("1.1.1.1", "::1")), around) == (
            "search lan\noptions edns0\nnameserver 1.1.1.1\nnameserver ::1\n"
        )
    assert resolv_conf(None, Dns(), NONE) == ""
    with pytest.raises(InvalidInput, match=r"--dns needs an IP address: dns\.lan"):
        resolv_conf(None, Dns(("dns.lan",)), NONE)


def test_search_and_options() -> None:
    """--dns-search and --dns-option replace the host's lines of that kind; a dot is no domain."""
    host = "domain old\nsearch lan\nnameserver 10.0.0.1\noptions edns0\n"
    dns = Dns(search=("a.example", "b.example"), options=("ndots:2", "rotate"))
    assert resolv_conf(host, dns, HOST) == (
        "nameserver 10.0.0.1\nsearch a.example b.example\noptions ndots:2 rotate\n"
    )
    assert resolv_conf(host, Dns(search=(".",)), HOST) == "nameserver 10.0.0.1\noptions edns0\n"
    for dns in (Dns(search=("a\nnameserver 6.6.6.6",)), Dns(options=("",))):
        with pytest.raises(InvalidInput, match="needs one word"):
            resolv_conf(host, dns, HOST)


@pytest.mark.parametrize(
    ("servers", "seen"),
    [
        (("10.0.0.1",), ("10.0.0.1",)),
        (("127.0.0.53",), ("10.0.2.3",)),
        (("::1", "127.0.0.1", "10.0.0.1"), ("10.0.2.3", "10.0.0.1")),
        (("fe80::1%eth0", "fd00::1"), ("10.0.2.3", "fd00::1")),
        (("dns.lan",), ("10.0.2.3",)),
        ((), ("10.0.2.3",)),
    ],
)
def test_servers_that_only_the_host_reaches(
    servers: tuple[str, ...], seen: tuple[str, ...]
) -> None:
    """In a network of its own the resolver stands for a server on the host's loopback."""
    host = "".join(f"nameserver {each}\n" for each in servers)
    expected = "".join(f"nameserver {each}\n" for each in seen)
    assert resolv_conf(host, Dns(), OWN) == expected
    assert resolv_conf(host, Dns(), HOST) == host
    without = "".join(f"nameserver {each}\n" for each in seen if each != OWN.resolver)
    assert resolv_conf(host, Dns(), replace(OWN, resolver="")) == without


def test_image_s_own() -> None:
    """`--dns none` leaves the image's file."""
    assert Dns(("none",)).is_image_s
    assert not Dns().is_image_s
    assert not Dns(("1.1.1.1",)).is_image_s
