"""`rootless shell`, the real executable; and `exec` as editors use it."""

import os
import subprocess
import time

import pytest
from executable import Rootless
from pseudo_terminal import PseudoTerminal

from rootless.cli import shell_session

pytestmark = [pytest.mark.needs_fuse, pytest.mark.needs_user]

NAME = "shell-debian-demo"


@pytest.mark.both_users
def test_a_toolbox(demo_own: Rootless) -> None:
    """It has my name, home and folder; what is written outside of them stays; root is me."""
    home = demo_own.home.path / "home"
    script = "id -un; pwd; echo $ROOTLESS_SHELL; echo here >~/file; echo kept >/made"
    said = demo_own.ok("shell", "debian-demo", "sh", "-c", script, cwd=home).splitlines()
    assert said == [os.environ["USER"], str(home), NAME]
    assert (home / "file").read_text() == "here\n"
    script = "id -u; cat /made; echo root >>~/file; touch /etc/root"
    said = demo_own.ok("shell", "--root", "debian-demo", "sh", "-c", script, cwd=home).splitlines()
    assert said == ["0", "kept"]
    assert (home / "file").stat().st_uid == os.getuid()
    demo_own.ok("shell", "--name", "other", "debian-demo", "test", "!", "-e", "/made")
    demo_own.ok("shell", "--rm", "--name", "gone", "-e", "A=b", "debian-demo", "test", "-n", "b")
    names = demo_own.ok("ps", "-a", "--format", "{{.Names}}").split()
    assert sorted(names) == ["other", NAME]


def test_on_a_terminal(demo_own: Rootless) -> None:
    """The prompt shows where one is; a second shell joins the one that is open, as who it is."""
    environ = {**demo_own.home.environ, "SHELL": "/bin/bash", "TERM": "xterm"}
    with PseudoTerminal(demo_own.command("shell", "debian-demo"), environ) as first:
        first.expect(f"({NAME}) ")
        first.type("echo one-$ROOTLESS_SHELL >/made; sleep 0\n")
        first.expect(f"({NAME}) ")
        with PseudoTerminal(demo_own.command("shell", "debian-demo"), environ) as second:
            second.expect(f"({NAME}) ")
            second.type("cat /made; exit 7\n")
            second.expect(f"one-{NAME}")
            assert second.finish()[0] == 7
        refused = demo_own("shell", "--root", "debian-demo")
        assert refused.status == 125
        assert "the shell is open as you" in refused.stderr
        first.type("exit\n")
        assert first.finish()[0] == 0


def test_exec_as_editors_use_it(demo_own: Rootless) -> None:
    """A server is started over pipes, with user, variable and folder, and talked to for long."""
    known = demo_own.ok("run", "-d", "--label", "devcontainer=1", "debian-demo", "sleep", "100")
    known = known.strip()
    assert demo_own.ok("ps", "-q", "-a", "--filter", "label=devcontainer=1").strip() == known[:12]
    state = "{{.State.Status}} {{json .Config.Labels}}"
    assert demo_own.ok("inspect", "--type", "container", "-f", state, known).startswith("running {")
    words = ("exec", "-i", "-u", "root", "-e", "A=b c", "-w", "/usr", known, "/bin/sh")
    process = demo_own.start(*words, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdin is not None
    assert process.stdout is not None
    for line, answer in ((b"id -u; pwd", b"0\n/usr\n"), (b'echo "$A"', b"b c\n"), (b"tty", b"not")):
        process.stdin.write(line + b"\n")
        process.stdin.flush()
        assert process.stdout.read(len(answer)) == answer
        time.sleep(0.1)
    process.stdin.close()
    assert b"a tty" in process.stdout.read()
    process.stdout.close()
    assert process.wait(20) in (0, 1)
    demo_own.ok("rm", "-f", known)


@pytest.mark.parametrize(
    ("image", "name"),
    [
        ("debian", "shell-debian"),
        ("docker.io/library/debian:12", "shell-debian-12"),
        ("a/b:latest", "shell-b"),
        ("a@sha256:" + "0123456789ab" + "c" * 52, "shell-a-0123456789ab"),
        ("./tools.sif", "shell-tools"),
    ],
)
def test_names(image: str, name: str) -> None:
    """A shell is called as its image."""
    assert shell_session.name_for(image) == name
