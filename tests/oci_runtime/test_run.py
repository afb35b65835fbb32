"""`run`: a whole life in one verb, with the container's status."""

import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from runtime_bundle import Runtime

pytestmark = [pytest.mark.needs_user, pytest.mark.both_users]

Bundle = Callable[..., Path]


@pytest.mark.parametrize(
    ("script", "status"), [("exit 0", 0), ("exit 7", 7), ("kill -9 $$; sleep 0.1; exit 5", 5)]
)
def test_status(runtime: Runtime, bundle: Bundle, script: str, status: int) -> None:
    """The status is the process's; the first one of a PID namespace cannot kill itself."""
    result = runtime("run", "--bundle", bundle(f"echo out; {script}"), "c")
    assert (result.status, result.stdout, result.stderr) == (status, "out\n", "")
    assert runtime.status("c") == ""


def test_a_program_that_is_not_there(runtime: Runtime, bundle: Bundle) -> None:
    """It is the shell's status and one line."""
    folder = bundle("", lambda spec: spec["process"].update(args=["no-such-program"]))
    result = runtime("run", "--bundle", folder, "c")
    assert (result.status, result.stderr.count("\n")) == (127, 1)
    assert runtime.status("c") == ""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_signals_are_passed_on(runtime: Runtime, bundle: Bundle, number: signal.Signals) -> None:
    """A signal to the verb is the container's; its status then is the verb's."""
    name = number.name.removeprefix("SIG")
    script = f"trap 'echo {name}; exit 3' {name}; echo up; while :; do sleep 0.05; done"
    process = runtime.start("run", "--bundle", bundle(script), "c")
    with process:
        assert process.stdout is not None
        assert process.stdout.readline() == "up\n"
        process.send_signal(number)
        assert process.communicate(timeout=20) == (f"{name}\n", "")
    assert process.returncode == 3


def test_a_killed_container(runtime: Runtime, bundle: Bundle) -> None:
    """One that another verb kills is 128 and the signal's number."""
    process = runtime.start("run", "--bundle", bundle("echo up; sleep 600"), "c")
    with process:
        assert process.stdout is not None
        assert process.stdout.readline() == "up\n"
        runtime.ok("kill", "c", "KILL")
        process.communicate(timeout=20)
    assert process.returncode == 137


def test_a_killed_run(runtime: Runtime, bundle: Bundle) -> None:
    """After kill -9 of the verb the container still is one, and can be deleted."""
    with runtime.start("run", "--bundle", bundle("sleep 600"), "c") as process:
        deadline = time.monotonic() + 20
        while runtime.status("c") != "running":
            assert time.monotonic() < deadline
        process.kill()
        with pytest.raises(subprocess.TimeoutExpired):
            process.communicate(timeout=0.2)  # the container still has its output
        assert runtime.status("c") == "running"
        runtime.ok("delete", "--force", "c")
