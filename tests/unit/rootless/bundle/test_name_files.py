"""/etc/hosts and /etc/resolv.conf."""

import pytest

from rootless.bundle.name_files import hosts, resolv_conf
from rootless.errors import InvalidInput


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
    found = addresses(hosts(None, "box", []))
    assert found["localhost"] == ["127.0.0.1", "::1"]
    assert found["box"] == ["127.0.1.1"]


def test_host_network_has_the_host_s_lines() -> None:
    """With it the host's file is kept; a name that it has is not named again."""
    host = "10.0.0.1 gate # box\n10.0.0.2 other"
    assert hosts(host, "box", []) == f"{host}\n127.0.1.1\tbox\n"
    assert hosts("10.0.0.1 gate box\n", "box", []) == "10.0.0.1 gate box\n"
    assert hosts("", "box", []) == "127.0.1.1\tbox\n"


def test_own_lines_come_first() -> None:
    """The first line of a name wins, so --add-host goes before the host's file."""
    text = hosts("10.0.0.1 db\n", "box", ["db:192.168.0.9", "six:[fe80::1]", "v6:::1"])
    assert addresses(text)["db"] == ["192.168.0.9", "10.0.0.1"]
    assert addresses(text)["six"] == ["fe80::1"]
    assert addresses(text)["v6"] == ["::1"]


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
        hosts(None, "box", [item])


def test_name_servers() -> None:
    """--dns replaces the host's servers and keeps its other lines."""
    host = "search lan\nnameserver 10.0.0.1\n nameserver 10.0.0.2\noptions edns0"
    assert resolv_conf(host, []) == host + "\n"
    assert resolv_conf(host, ["1.1.1.1", "::1"]) == (
        "search lan\noptions edns0\nnameserver 1.1.1.1\nnameserver ::1\n"
    )
    assert resolv_conf(None, []) == ""
    with pytest.raises(InvalidInput, match=r"--dns needs an IP address: dns\.lan"):
        resolv_conf(None, ["dns.lan"])
