"""`--restart`: a container that ends by itself is started again, until it is stopped."""

import time
from collections.abc import Callable

import pytest
from living import LOOP, Containers

pytestmark = [pytest.mark.needs_fuse, pytest.mark.needs_user]

WaitUntil = Callable[[Callable[[], bool]], None]


@pytest.mark.both_users
def test_on_failure(containers: Containers) -> None:
    """So often as was asked for, with the same files; who waits learns the last status."""
    container = containers.shell(
        "echo x >>/count; exit $(wc -l </count)", "--restart", "on-failure:2"
    )
    assert containers.rootless.ok("wait", container) == "3\n"
    state = containers.state(container)
    assert (state["Status"], state["RestartCount"], state["ExitCode"]) == ("exited", 2, 3)


def test_success_is_no_failure(containers: Containers) -> None:
    """With on-failure a status of 0 is the end; with `always` it is not, until `stop`."""
    once = containers.shell("exit 0", "--restart", "on-failure")
    assert containers.rootless.ok("wait", once) == "0\n"
    assert containers.state(once)["RestartCount"] == 0
    again = containers.shell("exit 0", "--restart", "always")
    deadline = time.monotonic() + 20
    while containers.state(again)["RestartCount"] < 2:
        assert time.monotonic() < deadline
    assert containers.state(again)["Status"] in ("restarting", "starting", "running")
    containers.rootless.ok("stop", again)
    assert containers.state(again)["Status"] == "exited"


def test_pauses_grow(containers: Containers) -> None:
    """One that ends at once is not started over and over without a pause."""
    container = containers.shell("exit 1", "--restart", "always")
    time.sleep(4)
    assert 1 <= containers.state(container)["RestartCount"] <= 6
    containers.rootless.ok("rm", "-f", container)


def test_kill_does_not_keep_it_from_starting_again(
    containers: Containers, wait_until: WaitUntil
) -> None:
    """A signal that ends it is an end like another; `stop` is meant for good."""
    container = containers.shell("while :; do sleep 0.1; done", "--restart", "unless-stopped")
    containers.rootless.ok("kill", container)
    wait_until(lambda: containers.state(container)["RestartCount"] == 1)
    wait_until(lambda: containers.state(container)["Status"] == "running")
    containers.rootless.ok("stop", "-t", "0", container)
    assert containers.state(container)["Status"] == "exited"


@pytest.mark.both_users
def test_once_more_from_the_start(containers: Containers) -> None:
    """`restart` ends what runs and starts it with its files; what goes with its end is refused."""
    rootless = containers.rootless
    container = containers.shell(f"echo x >>/made; {LOOP}", "--stop-signal", "KILL")
    for words in ((container,), ("-l",), ("--running", "--time", "0")):
        before = containers.state(container)["Pid"]
        rootless.ok("restart", *words)
        assert containers.state(container)["Pid"] not in (0, before)
    rootless.ok("stop", container)
    assert rootless.ok("restart", "-a").split() == [containers.ps()[0]["Names"][0]]
    until = "until [ $(wc -l </made) = 5 ]; do sleep 0.05; done"
    rootless.ok("exec", "-l", "sh", "-c", until)
    passing = containers.shell(LOOP, "--rm")
    result = rootless("restart", passing)
    assert (result.status, result.stderr.count("\n")) == (125, 1)
    assert "cannot be started again" in result.stderr
    assert containers.state(passing)["Running"]
