"""podman over `rootless-runtime` when something of it is killed: `rm -f` works, nothing is left."""

import os
import random
import shutil
import time
from collections.abc import Callable

import pytest
from podman_session import IMAGE, PLAIN, Podman
from run_processes import is_alive, kill

pytestmark = [pytest.mark.needs_user, pytest.mark.needs_subid, pytest.mark.slow]

WaitUntil = Callable[[Callable[[], bool]], None]

TURNS = int(os.environ.get("ROOTLESS_CYCLES") or 20) // 4


def start(podman: Podman, name: str = "c") -> int:
    """Start a container that sleeps; return its process."""
    podman.ok("run", "-d", f"--name={name}", *PLAIN, IMAGE, "sleep", "600")
    return int(podman.inspect(name, "{{.State.Pid}}"))


def remove(podman: Podman, name: str = "c") -> None:
    """Remove it by force; it is gone for podman, and for the runtime."""
    podman.ok("rm", "--force", "--time=0", name)
    assert podman.ok("ps", "-aq") == ""
    assert list(podman.states.glob("*")) == []


def forget(podman: Podman) -> None:
    """Delete what podman has not: a container that lost its monitor it takes for cleaned up."""
    for folder in podman.states.glob("*"):
        assert podman.runtime("delete", "--force", folder.name).status == 0
    assert list(podman.states.glob("*")) == []


def test_the_containers_process(by_runtime: Podman, wait_until: WaitUntil) -> None:
    """Podman learns of its end, with the status of the signal."""
    kill(start(by_runtime))
    wait_until(lambda: by_runtime.inspect("c", "{{.State.Status}}") == "exited")
    assert by_runtime.inspect("c", "{{.State.ExitCode}}") == "137"
    remove(by_runtime)


def test_the_monitor(by_runtime: Podman, wait_until: WaitUntil) -> None:
    """Without its conmon the container lives on, and is removed with its process."""
    pid = start(by_runtime)
    (conmon,) = by_runtime.conmons()
    kill(conmon)
    wait_until(lambda: not is_alive(conmon))
    assert is_alive(pid)
    by_runtime.ok("rm", "--force", "--time=0", "c")
    assert not is_alive(pid)
    assert by_runtime.ok("ps", "-aq") == ""
    forget(by_runtime)


def test_the_runtimes_state(by_runtime: Podman, wait_until: WaitUntil) -> None:
    """A container that the runtime has forgotten can be removed; its process is killed first."""
    pid = start(by_runtime)
    (folder,) = by_runtime.states.iterdir()
    shutil.rmtree(folder)
    kill(pid)
    wait_until(lambda: not is_alive(pid))
    remove(by_runtime)


def test_one_that_waits_at_its_gate(by_runtime: Podman) -> None:
    """A created container is removed as it waits."""
    by_runtime.ok("create", "--name=c", *PLAIN, IMAGE, "true")
    by_runtime.ok("init", "c")
    pid = int(by_runtime.inspect("c", "{{.State.Pid}}"))
    assert is_alive(pid)
    remove(by_runtime)
    assert not is_alive(pid)


def test_podman_in_the_middle(by_runtime: Podman) -> None:
    """Podman run is killed at random moments with its monitor: rm -f always works."""
    began = time.monotonic()
    start(by_runtime)
    took = time.monotonic() - began
    remove(by_runtime)
    for _ in range(TURNS):
        words = ("run", "-d", "--name=c", *PLAIN, IMAGE, "sleep", "600")
        with by_runtime.start(*words) as process:
            time.sleep(random.uniform(0, took))
            process.kill()
            for conmon in by_runtime.conmons():
                kill(conmon)
        by_runtime("rm", "--force", "--time=0", "c")
        by_runtime("rm", "--force", "--time=0", "c")
        assert by_runtime.ok("ps", "-aq") == ""
        forget(by_runtime)
