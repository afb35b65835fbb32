"""`rootless run` and `create` of an image that a registry has."""

import json
from collections.abc import Iterator
from pathlib import Path

import images
import pulling
import pytest
from executable import Rootless
from registries import RegistryServer

pytestmark = [pytest.mark.needs_fuse, pytest.mark.needs_user]


@pytest.fixture
def server(rootless: Rootless, demo_registry: RegistryServer) -> RegistryServer:
    """The registry with the demo image, which the user trusts; nobody else is searched."""
    pulling.trust(rootless.home, demo_registry.host, search=[demo_registry.host])
    return demo_registry


@pytest.fixture
def changing(
    rootless: Rootless, plain_registry: RegistryServer, tmp_path: Path
) -> Iterator[RegistryServer]:
    """A registry whose `app:1` has an image that the store has, and then another one."""
    pulling.trust(rootless.home, plain_registry.host)
    pulling.put(plain_registry, "app:1", [images.small_layer()], tmp_path / "old")
    rootless.ok("pull", f"{plain_registry.host}/app:1")
    pulling.put(plain_registry, "app:1", [images.small_layer()] * 2, tmp_path / "new")
    yield plain_registry
    for name in rootless.ok("ps", "-aq").split():
        rootless("rm", "-f", name)


def layers(rootless: Rootless, name: str) -> int:
    """Return how many layers an image of the store has."""
    return len(json.loads(rootless.ok("inspect", name))[0]["RootFS"]["Layers"])


@pytest.mark.both_users
def test_run_pulls(rootless: Rootless, server: RegistryServer) -> None:
    """An image that is not there is pulled; standard output is the workload's alone."""
    result = rootless("run", "--rm", "debian:demo", "cat", "/etc/debian_version", timeout=120)
    assert result.status == 0, result.stderr
    assert result.stdout.startswith("12")
    assert result.stderr.count("\n") <= 1  # the ID map, where a person has to be told
    since = len(server.access_log())
    again = rootless.ok("run", "debian:demo", "cat", "/etc/debian_version")
    assert again == result.stdout
    assert server.access_log()[since:] == []


@pytest.mark.parametrize(
    ("policy", "count"), [("missing", 1), ("never", 1), ("always", 2), ("newer", 2)]
)
def test_policies(rootless: Rootless, changing: RegistryServer, policy: str, count: int) -> None:
    """--pull says whether what the registry has now is looked for."""
    name = f"{changing.host}/app:1"
    rootless.ok("create", "--pull", policy, name, "true")
    assert layers(rootless, name) == count


def test_policies_without_a_registry(rootless: Rootless, changing: RegistryServer) -> None:
    """Where the registry does not answer, `newer` takes what is there, and `always` does not."""
    rootless.ok("tag", f"{changing.host}/app:1", "127.0.0.1:1/app:1")
    pulling.trust(rootless.home, "127.0.0.1:1")
    rootless.ok("create", "--pull", "newer", "127.0.0.1:1/app:1", "true")
    words = ("create", "--pull", "always", "127.0.0.1:1/app:1", "true")
    pulling.one_line(rootless, *words, says="Connection refused")


def test_what_is_not_pulled(rootless: Rootless, server: RegistryServer) -> None:
    """Neither localhost's names nor IDs are asked for, nor anything where --pull=never says so."""
    since = len(server.access_log())
    for name in ("localhost/app", "sha256:" + "a" * 64):
        pulling.one_line(rootless, "run", name, "true", says=f"no such image: {name}")
    words = ("run", "--pull=never", "debian:demo", "true")
    pulling.one_line(rootless, *words, says="no such image: debian:demo")
    words = ("run", "--pull=sometimes", "debian:demo", "true")
    pulling.one_line(rootless, *words, says="no such pull policy: sometimes")
    assert server.access_log()[since:] == []


def test_no_such_image(rootless: Rootless, server: RegistryServer) -> None:
    """A name that nobody has is one line."""
    line = pulling.one_line(rootless, "run", "nosuch", "true", says="no such image: nosuch (")
    assert server.host in line
