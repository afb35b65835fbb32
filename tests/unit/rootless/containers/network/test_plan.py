"""From what was asked for to a network."""

import logging
from pathlib import Path

import pytest

from rootless.containers.network import plan
from rootless.containers.network.mode import Kind, parse_mode
from rootless.containers.network.network import Network
from rootless.containers.network.ports import PortMapping, parse_publish
from rootless.errors import InvalidInput, Precondition

WEB = (PortMapping(80, 18080),)


def make_programs(folder: Path, *names: str) -> None:
    """Make programs of these names."""
    for name in names:
        (folder / name).touch(mode=0o755)


def test_host_and_none() -> None:
    """Without a network of one's own there is nothing to carry; only the host's has a way to it."""
    assert plan.plan(parse_mode("host"), ()) == Network("host", host_address="127.0.0.1")
    assert plan.plan(parse_mode("none"), ()) == Network("none")


def test_ports_of_the_host_s_network(caplog: pytest.LogCaptureFixture) -> None:
    """-p with the host's network is said to mean nothing, and goes on, as podman has it."""
    with caplog.at_level(logging.WARNING):
        assert plan.plan(parse_mode("host"), WEB).ports == ()
    assert "nothing is published" in caplog.text


@pytest.mark.parametrize("text", ["none", "ns:/proc/1/ns/net"])
def test_ports_that_nobody_publishes(text: str) -> None:
    """Where nobody carries packets, ports are a contradiction."""
    with pytest.raises(InvalidInput, match=f"cannot be published with --network {text}"):
        plan.plan(parse_mode(text), WEB)


def test_ports_are_chosen_and_disjoint() -> None:
    """Every port of the host is known afterwards, and is there once."""
    network = plan.plan(parse_mode("pasta"), (*WEB, parse_publish("81")))
    assert network.kind == "pasta"
    assert network.ports[0] == WEB[0]
    assert network.ports[1].host_port > 0
    with pytest.raises(InvalidInput, match="published twice"):
        plan.plan(parse_mode("pasta"), (*WEB, *WEB))


@pytest.mark.parametrize(
    ("programs", "route", "kind"),
    [
        (("pasta", "slirp4netns"), True, Kind.PASTA),
        (("pasta", "slirp4netns"), False, Kind.SLIRP4NETNS),
        (("pasta",), False, Kind.PASTA),
        (("slirp4netns",), True, Kind.SLIRP4NETNS),
    ],
)
def test_choice(
    programs: tuple[str, ...],
    route: bool,  # noqa: FBT001 - one column of the table
    kind: Kind,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Pasta comes first, but it wants a default route."""
    make_programs(tmp_path, *programs)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(plan, "has_route", lambda: route)
    assert plan.choose_forwarder() is kind


def test_neither_is_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without either the package is named, and what does without."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Precondition, match=r"neither is installed .*passt") as caught:
        plan.plan(parse_mode("private"), ())
    assert caught.value.check == "network"


@pytest.mark.parametrize(
    ("routes", "routes6", "has"),
    [
        ("head\neth0 00000000 010200C0 0003 0 0 0 00000000 0 0 0\n", "", True),
        ("head\neth0 000200C0 00000000 0001 0 0 0 00FFFFFF 0 0 0\n", "", False),
        ("", f"{'0' * 32} 00 {'0' * 32} 00 fe80 0 0 0 0 eth0\n", True),
        ("", f"{'0' * 32} 00 {'0' * 32} 00 {'0' * 32} 0 0 0 0 lo\n", False),
        ("", "", False),
    ],
)
def test_routes(
    routes: str,
    routes6: str,
    has: bool,  # noqa: FBT001 - one column of the table
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A default route of either kind is one; the kernel's own of the loopback is none."""
    for name, text in (("_ROUTES", routes), ("_ROUTES6", routes6)):
        path = tmp_path / name
        path.write_text(text)
        monkeypatch.setattr(plan, name, str(path))
    assert plan.has_route() is has
    monkeypatch.setattr(plan, "_ROUTES", str(tmp_path / "missing"))
    assert plan.has_route() is bool(routes6 and has)


def test_joined() -> None:
    """A network to join has the addresses of whose it is; the caller's own is the host's."""
    like = Network("pasta", ("--mtu", "1500"), WEB, "", "10.0.2.100", "10.0.2.3", "192.0.2.7")
    network = plan.joined("/proc/1/ns/net", like)
    assert network == Network("ns", (), (), "/proc/1/ns/net", "10.0.2.100", "10.0.2.3", "192.0.2.7")
    assert plan.joined("/x", like, "one").container == "one"
    assert plan.joined("/proc/self/ns/net").kind == "host"


def test_word_for_the_spec() -> None:
    """The bundle says: the host's, one of its own, or one to join."""
    kinds = {kind: plan.word_for_spec(Network(kind, path="/x")) for kind in ("host", "none", "ns")}
    assert kinds == {"host": "host", "none": "none", "ns": "ns:/x"}
    assert plan.word_for_spec(Network("pasta")) == "none"
