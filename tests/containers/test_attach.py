"""`rootless attach` and `start -a`: streams and the terminal of a container in the background."""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from living import LOOP, Containers
from pseudo_terminal import CTRL_C, PseudoTerminal

pytestmark = [pytest.mark.needs_fuse, pytest.mark.needs_user]

WaitUntil = Callable[[Callable[[], bool]], None]


def handles(pid: int, number: int) -> bool:
    """Tell whether a process has a handler for a signal."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    caught = next(line.split()[1] for line in lines if line.startswith("SigCgt"))
    return bool(int(caught, 16) >> (number - 1) & 1)


def is_attached(pid: int) -> bool:
    """Tell whether a process has a connection: it has come through to who keeps the container."""
    folder = f"/proc/{pid}/fd"
    with contextlib.suppress(OSError):  # one was closed while we looked
        return any(os.readlink(f"{folder}/{fd}").startswith("socket:") for fd in os.listdir(folder))
    return False


def has_terminal(terminal: PseudoTerminal) -> bool:
    """Tell whether what is typed goes to the container."""
    return is_attached(terminal.process.pid) and terminal.attributes() != terminal.before


@pytest.mark.both_users
def test_start_attached(containers: Containers) -> None:
    """From its first byte on, input and both outputs, and its status."""
    made = containers.create("sh", "-c", "echo one; cat; echo err >&2; exit 9", options=("-i",))
    result = containers.rootless("start", "-ai", made, stdin="two\n")
    assert (result.status, result.stdout, result.stderr) == (9, "one\ntwo\n", "err\n")
    assert containers.rootless.ok("logs", made) == "one\ntwo\n"


def test_much_output(containers: Containers) -> None:
    """Nothing is lost on the way to a slow reader."""
    made = containers.create("sh", "-c", "head -c 20000000 /dev/zero")
    with containers.rootless.start("start", "-a", made, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        time.sleep(1)
        assert len(process.stdout.read()) == 20_000_000
        assert process.wait(20) == 0


def test_much_input(containers: Containers) -> None:
    """What goes in comes out again, whatever the buffers between hold."""
    made = containers.create("cat", options=("-i",))
    text = "".join(f"line {i}\n" for i in range(300_000))
    result = containers.rootless("start", "-ai", made, stdin=text)
    assert (result.status, len(result.stdout)) == (0, len(text))
    assert result.stdout == text


def test_two_attached(containers: Containers, wait_until: WaitUntil) -> None:
    """Everybody who is attached gets the output from then on, and the status."""
    container = containers.shell("read x; echo $x; exit 5", "-i")
    rootless = containers.rootless
    with rootless.start("attach", "--no-stdin", container, stdout=subprocess.PIPE) as other:
        wait_until(lambda: handles(other.pid, signal.SIGTERM))  # once it has asked for output
        result = rootless("attach", container, stdin="said\n")
        assert (result.status, result.stdout) == (5, "said\n")
        assert other.communicate(timeout=10)[0] == b"said\n"
        assert other.returncode == 5


def test_keys_leave_it_running(containers: Containers, wait_until: WaitUntil) -> None:
    """ctrl-p,ctrl-q gives the terminal back; what else is typed reaches the container."""
    container = containers.shell("stty -echo; echo ready; read x; echo got $x; read y", "-it")
    command = containers.rootless.command("attach", container)
    with PseudoTerminal(command, containers.rootless.home.environ) as terminal:
        terminal.type("a\x10b\r")
        terminal.expect("got a\x10b")
        terminal.type("\x10\x11")
        assert terminal.finish()[0] == 0
        assert terminal.attributes() == terminal.before
    assert containers.state(container)["Status"] == "running"
    command = containers.rootless.command("attach", "--detach-keys", "x,y", container)
    with PseudoTerminal(command, containers.rootless.home.environ) as terminal:
        wait_until(lambda: has_terminal(terminal))
        terminal.type("xy")
        assert terminal.finish()[0] == 0


def test_ctrl_c_is_the_containers(containers: Containers, wait_until: WaitUntil) -> None:
    """On a terminal what is typed goes inside; the size does too."""
    container = containers.shell(f"trap 'stty size; exit 8' INT; echo ready; {LOOP}", "-it")
    command = containers.rootless.command("attach", container)
    with PseudoTerminal(command, containers.rootless.home.environ) as terminal:
        wait_until(lambda: has_terminal(terminal))
        terminal.resize(50, 132)
        time.sleep(0.3)
        terminal.type(CTRL_C)
        status, said = terminal.finish()
        assert (status, said.replace("^C", "").strip()) == (8, "50 132")


def test_signals_are_passed(containers: Containers, wait_until: WaitUntil) -> None:
    """What is sent to the command reaches the container, unless it is told not to."""
    rootless = containers.rootless
    container = containers.shell(f"trap 'exit 4' TERM; echo ready; {LOOP}")
    wait_until(lambda: rootless.ok("logs", container) == "ready\n")
    with rootless.start("attach", "--no-sig-proxy", container) as process:
        wait_until(lambda: is_attached(process.pid))
        process.terminate()
        assert process.wait(10) == -signal.SIGTERM
    assert containers.state(container)["Status"] == "running"
    with rootless.start("attach", container) as process:
        wait_until(lambda: handles(process.pid, signal.SIGTERM))
        process.terminate()
        assert process.wait(10) == 4


def test_who_attached_may_be_killed(containers: Containers, wait_until: WaitUntil) -> None:
    """Kill -9 of the command that attached leaves the container as it is."""
    container = containers.shell(LOOP, "-i")
    with containers.rootless.start("attach", container, stdin=subprocess.PIPE) as process:
        wait_until(lambda: is_attached(process.pid))
        process.kill()
    time.sleep(0.3)
    assert containers.state(container)["Status"] == "running"


def test_a_run_that_is_attached_to(containers: Containers, tmp_path: Path) -> None:
    """`run -a` keeps the container, shows all of its output, and ends with its status."""
    rootless, label, file = containers.rootless, containers.label, tmp_path / "id"
    options = ("-a", "STDOUT", "-a", "STDERR", "--sig-proxy=false", "--cidfile", file, "-l", label)
    said = rootless("run", *options, "debian-demo", "sh", "-c", "echo out; echo err >&2; exit 3")
    assert (said.status, said.stdout, said.stderr) == (3, "out\n", "err\n")
    (shown,) = containers.ps("-a")
    assert (shown["Id"], shown["ExitCode"]) == (file.read_text().strip(), 3)
    echoed = rootless("run", "-a", "stdin", "-l", label, "debian-demo", "cat", stdin="typed\n")
    assert echoed.stdout == "typed\n"
    assert "no such stream: x" in rootless("run", "-a", "x", "debian-demo", "true").stderr
    assert rootless.ok("rm", "--cidfile", file) == f"{shown['Id']}\n"
    assert rootless.ok("rm", "--ignore", shown["Id"]) == ""
    listed = rootless.ok("ps", "-al", "--noheading", "--size", "--format", "{{.Size}}")
    assert listed.endswith("B\n")
