"""Networks of containers that live on: published ports, and the network of another."""

import subprocess

import pytest
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
