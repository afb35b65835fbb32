"""Networks of containers that live on: published ports, and the network of another."""

import json
import socket
import subprocess

import pytest
import servers
from living import LOOP, Containers

pytestmark = [pytest.mark.needs_fuse, pytest.mark.needs_user]

_NAMESPACE = ("readlink", "/proc/self/ns/net")


@pytest.mark.both_users
def test_the_network_of_another(containers: Containers) -> None:
    """It is the other's as it is at each start; without it there is none."""
    rootless = containers.rootless
    one = containers.shell(LOOP, "--network", "none")
    script = f"readlink /proc/self/ns/net; {LOOP}"
    other = containers.shell(script, "--network", f"container:{one}")
    first = rootless.ok("exec", one, *_NAMESPACE)
    assert rootless.ok("exec", other, *_NAMESPACE) == first
    for each in (other, one):
        rootless.ok("stop", "-t", "0", each)
    result = rootless("start", other)
    assert (result.status, result.stderr.count("\n")) == (125, 1)
    assert "whose network is to be joined is not running" in result.stderr
    rootless.ok("start", one)
    rootless.ok("start", other)
    for option in ("-p81", "-P"):
        words = ("run", option, "--expose", "80", "--network", f"container:{one}")
        result = rootless(*words, "debian-demo", "true")
        assert (result.status, result.stderr.count("ports cannot be published")) == (125, 1)
    second = rootless.ok("exec", one, *_NAMESPACE)
    assert rootless.ok("logs", other) == first + second


def test_ports(containers: Containers) -> None:
    """`port` and `ps` show what is published, the number that was chosen too."""
    if subprocess.run(["sh", "-c", "command -v pasta slirp4netns"], check=False).returncode:
        pytest.skip("needs kernel support for no program: pasta or slirp4netns is not installed")
    container = containers.shell(LOOP, "-p", "127.0.0.1::80")
    line = containers.rootless.ok("port", container).strip()
    inner, _, outer = line.partition(" -> ")
    assert inner == "80/tcp"
    assert outer.startswith("127.0.0.1:")
    assert containers.rootless.ok("port", container, "80").strip() == outer
    assert containers.ps()[0]["Ports"] == [{"Inside": inner, "Outside": outer}]
    result = containers.rootless("port", container, "81")
    assert (result.status, result.stderr.count("\n")) == (125, 1)


@pytest.mark.both_users
def test_all_that_is_exposed(containers: Containers) -> None:
    """-P finds a free port for each that is exposed, and another at a start where it is in use."""
    servers.need_tun()
    rootless = containers.rootless
    options = ("-P", "--expose", "80", "--expose", "53/udp", "-p", "127.0.0.1::81")
    container = containers.create("sh", "-c", LOOP, options=options)
    lines = rootless.ok("port", container).splitlines()
    assert [line.split()[0] for line in lines] == ["81/tcp", "80/tcp", "53/udp"]
    port = int(lines[1].rpartition(":")[2])
    assert port > 1023
    with socket.create_server(("0.0.0.0", port)):
        rootless.ok("start", container)
    later = rootless.ok("port", container).splitlines()
    assert later[0] == lines[0]
    assert later[1] != lines[1]
    shown = json.loads(rootless.ok("inspect", container))[0]
    assert list(shown["Config"]["ExposedPorts"]) == ["80/tcp", "53/udp"]
    assert shown["NetworkSettings"]["Ports"].keys() == {"80/tcp", "81/tcp", "53/udp"}
    host = rootless("run", "-P", "--expose", "80", "--network", "host", "debian-demo", "true")
    assert (host.status, host.stderr.count("nothing is published")) == (0, 1)
    assert rootless("run", "-P", "debian-demo", "true").stderr == ""
