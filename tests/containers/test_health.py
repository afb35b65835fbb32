"""Health checks: of the command line, run in the container, shown by ps and inspect."""

import json
from collections.abc import Callable

import pytest
from living import LOOP, Containers

pytestmark = [pytest.mark.needs_fuse, pytest.mark.needs_user]

WaitUntil = Callable[..., None]


def health(containers: Containers, container: str) -> str:
    """Return what `inspect` says of it."""
    return str(containers.state(container).get("Health", {}).get("Status", ""))


@pytest.mark.both_users
def test_its_way(containers: Containers, wait_until: WaitUntil) -> None:
    """starting, healthy, unhealthy after so many failures, and healthy again."""
    rootless = containers.rootless
    options = ("--health-cmd", "test -e /well", "--health-interval", "500ms")
    container = containers.shell(LOOP, *options, "--health-retries", "2")
    assert health(containers, container) in ("starting", "unhealthy")
    rootless.ok("exec", container, "touch", "/well")
    wait_until(lambda: health(containers, container) == "healthy", 20)
    assert "(healthy)" in containers.ps()[0]["Status"]
    rootless.ok("exec", container, "rm", "/well")
    wait_until(lambda: health(containers, container) == "unhealthy", 20)
    rootless.ok("stop", "-t", "0", container)
    assert health(containers, container) == ""


def test_one_that_hangs(containers: Containers, wait_until: WaitUntil) -> None:
    """It is ended after its time, and has failed; the container can be told to end meanwhile."""
    options = ("--health-cmd", '["sleep", "600"]', "--health-interval", "200ms")
    times = ("--health-timeout", "300ms", "--health-retries", "1")
    container = containers.shell(LOOP, *options, *times)
    wait_until(lambda: health(containers, container) == "unhealthy", 20)
    containers.rootless.ok("stop", "-t", "0", container)


def test_none(containers: Containers) -> None:
    """Without a check nothing is said of it."""
    container = containers.shell(LOOP, "--no-healthcheck", "--health-cmd", "true")
    assert health(containers, container) == ""
    (shown,) = json.loads(containers.rootless.ok("inspect", container))
    assert "Health" not in shown["State"]
