"""`rootless exec` in a running container."""

import os
import subprocess

import pytest
from living import LOOP, Containers
from pseudo_terminal import SIZE, PseudoTerminal

pytestmark = [pytest.mark.needs_fuse, pytest.mark.needs_user]


@pytest.mark.both_users
def test_is_inside(containers: Containers) -> None:
    """It has the container's files, processes and name, and its own status."""
    rootless = containers.rootless
    container = containers.shell(f"echo x >/made; {LOOP}", "--hostname", "inside")
    assert rootless.ok("exec", container, "sh", "-c", "cat /made; hostname") == "x\ninside\n"
    assert "sh\0-c" in rootless.ok("exec", container, "cat", "/proc/2/cmdline")
    for command, status in (("exit 7", 7), ("kill -9 $$", 137)):
        assert rootless("exec", container, "sh", "-c", command).status == status
    for command, status in (("no-such-program", 127), ("/etc", 126)):
        result = rootless("exec", container, command)
        assert (result.status, result.stderr.count("\n")) == (status, 1)


def test_input_and_streams(containers: Containers) -> None:
    """Standard input is passed with -i only; both outputs come apart."""
    rootless = containers.rootless
    container = containers.shell(LOOP)
    assert rootless.ok("exec", "-i", container, "cat", stdin="in\n") == "in\n"
    assert rootless.ok("exec", container, "cat", stdin="in\n") == ""
    result = rootless("exec", container, "sh", "-c", "echo out; echo err >&2")
    assert (result.stdout, result.stderr) == ("out\n", "err\n")


@pytest.mark.needs_subid
def test_as_another_user(containers: Containers) -> None:
    """-u is looked up in the container's files as they are now; others than root have no rights."""
    rootless = containers.rootless
    container = containers.shell(f"echo 'ann:x:77:78::/tmp:/bin/sh' >>/etc/passwd; {LOOP}")
    script = "id -u; id -g; echo $HOME; pwd; grep CapEff /proc/self/status; echo $A"
    words = ("-u", "ann", "-w", "/usr", "-e", "A=b", container, "sh", "-c", script)
    shown = rootless.ok("exec", *words).split()
    assert shown == ["77", "78", "/tmp", "/usr", "CapEff:", "0" * 16, "b"]
    assert rootless.ok("exec", "-u", "5:6", container, "id", "-g") == "6\n"
    result = rootless("exec", "-u", "nobody-such", container, "id")
    assert (result.status, result.stderr.count("\n")) == (125, 1)


def test_on_a_terminal(containers: Containers) -> None:
    """-t gives a terminal of the container, with the caller's size, and his is put back."""
    rootless = containers.rootless
    container = containers.shell(LOOP)
    command = rootless.command(
        "exec", "-it", container, "sh", "-c", "stty size; tty; read x; exit 3"
    )
    with PseudoTerminal(command, rootless.home.environ) as terminal:
        assert terminal.expect("/dev/pts/0").strip() == f"{SIZE[0]} {SIZE[1]}"
        assert terminal.is_raw
        terminal.type("\r")
        assert terminal.finish()[0] == 3
        assert terminal.attributes() == terminal.before


def test_detached(containers: Containers) -> None:
    """-d returns at once; the command goes with the container."""
    rootless = containers.rootless
    container = containers.shell(LOOP)
    word = f"600.{os.getpid()}"
    assert rootless.ok("exec", "-d", container, "sleep", word) == ""
    assert word in rootless.ok("top", container)
    rootless.ok("stop", "-t", "0", container)
    assert subprocess.run(["pgrep", "-f", f"sleep {word}"], check=False).returncode == 1


def test_wrong_use(containers: Containers) -> None:
    """A container that does not run, a folder that is none: one line each."""
    rootless = containers.rootless
    made = containers.create("true")
    for words, says in (
        ((made, "true"), "the container is not running"),
        (("no-such-one", "true"), "no such container"),
        (("-w", "relative", containers.shell(LOOP), "true"), "must be an absolute path"),
    ):
        result = rootless("exec", *words)
        assert (result.status, result.stderr.count("\n")) == (125, 1)
        assert says in result.stderr
