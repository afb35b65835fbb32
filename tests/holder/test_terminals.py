"""Terminals and jobs of a shell through a holder: all is as without one, whoever ends first."""

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from executable import Rootless
from holding import holders, warm, with_holder
from pseudo_terminal import CTRL_C, SIZE, PseudoTerminal
from run_processes import Processes, is_alive

WaitUntil = Callable[[Callable[[], bool]], None]

LOOK = r"""
tty; stty -a; tty </dev/console; ls -ln /dev /proc/self/fd \
  | sed 's/.*:.. //; s#> /dev/pts/.*#> TTY#; s/pipe:.*//'
cut -d' ' -f1,5,6,8 /proc/self/stat; env | grep -v HOSTNAME | sort
grep -E '^(Cap|NoNewPrivs|Seccomp|Groups|Sig|Shd)' /proc/self/status; exit 3
"""
WORDS = {
    "terminal": ("-it",),
    "output only": ("-t",),
    "user": ("-it", "-u", "33", "-e", "TERM"),
    "native": ("--native",),
    "native, no home": ("--native", "--share", "tmp"),
    "native with a terminal": ("--native", "-it"),
}


def on_terminal(rootless: Rootless, *words: str) -> PseudoTerminal:
    """Run `rootless WORDS` on a terminal."""
    return PseudoTerminal(rootless.command(*words), rootless.home.environ)


@pytest.mark.parametrize("options", WORDS.values(), ids=WORDS)
def test_everything_is_as_in_an_ordinary_run(held: Rootless, options: tuple[str, ...]) -> None:
    """A workload sees the same, and the terminal is the same afterwards."""
    warm(held, *options)
    words = ("run", *options, "debian-demo", "sh", "-c", LOOK)
    with on_terminal(with_holder(held, "off"), *words) as terminal:
        ordinary = terminal.finish()
    with on_terminal(held, "--timings", *words) as terminal:
        status, said = terminal.finish()
        assert terminal.attributes() == terminal.before
    assert "client: told what to do" in said
    expected = ordinary[1].splitlines()
    assert said.splitlines()[: len(expected)] == expected
    assert status == ordinary[0] == 3
    assert f"rows {SIZE[0]}; columns {SIZE[1]}" in said


def test_a_size_passes_on_and_ctrl_c_ends_it(held: Rootless) -> None:
    """A resized window is told; what is typed goes inside; the status says what ended it."""
    warm(held, "-it")
    script = "trap 'stty size' WINCH; echo ready; while :; do sleep 0.05; done"
    with on_terminal(held, "run", "-it", "debian-demo", "sh", "-c", script) as terminal:
        terminal.expect("ready")
        assert terminal.is_raw
        terminal.resize(50, 132)
        terminal.expect("50 132")
        terminal.type(CTRL_C)
        assert terminal.finish()[0] == 130
        assert terminal.attributes() == terminal.before


def test_a_reader_that_goes(held: Rootless) -> None:
    """Output that nobody reads any more ends it, as it ends a program on the host."""
    warm(held, "-t")
    words = held.command("run", "-t", "debian-demo", "yes")
    script = f"{' '.join(words)} 2>/dev/null | head -1; echo ${{PIPESTATUS[0]}}"
    with PseudoTerminal(["bash", "-c", script], held.home.environ) as terminal:
        status, said = terminal.finish()
    assert (status, said.split()) == (0, ["y", "141"])


@pytest.mark.parametrize("victim", ["command_line", "supervisor", "init", "workload", "holder"])
def test_whoever_is_killed(held: Rootless, victim: str, wait_until: WaitUntil) -> None:
    """Of two at once one goes on; the other's terminal is put back, and nothing of it is left."""
    warm(held, "-it")
    words = ("run", "-it", "debian-demo", "sh", "-c", "echo ready; read line; echo got $line")
    with on_terminal(held, *words) as other, on_terminal(held, *words) as terminal:
        other.expect("ready")
        terminal.expect("ready")
        found = Processes.when_running(terminal.process.pid, "sh")
        assert found.supervisor, "not through the holder"
        assert terminal.is_raw
        wait_until(lambda: len(holders(held)) == 1)
        (holder,) = holders(held)
        os.kill(holder if victim == "holder" else getattr(found, victim), signal.SIGKILL)
        if victim == "holder":
            terminal.type("this\r")
        statuses = {"command_line": -signal.SIGKILL, "supervisor": 125, "holder": 0}
        assert terminal.finish()[0] == statuses.get(victim, 137)
        wait_until(lambda: terminal.attributes() == terminal.before)
        wait_until(lambda: not any(map(is_alive, (found.supervisor, found.init, found.workload))))
        other.type("that\r")
        other.expect("got that")
        assert other.finish()[0] == 0
        assert other.attributes() == other.before
    wait_until(lambda: not held.ok("ps", "-aq").split())
    with_holder(held, "off").ok("run", "debian-demo", "true")  # sweeps what a killed keeper left
    held.ok("system", "shutdown")  # with what it had in stock
    wait_until(lambda: not list((held.home.runtime / "runs").iterdir()))
    wait_until(lambda: not list((held.home.store / "scratch").iterdir()))
    mounts = Path("/proc/self/mountinfo").read_text()
    assert str(held.home.path) not in mounts


def test_a_profile(held: Rootless) -> None:
    """A profile's image, command and options are served; a changed file counts at once."""
    settings = held.home.path / "home/.config/rootless/config.toml"
    settings.parent.mkdir(parents=True)
    text = (
        '[profiles.p]\nimage = "debian-demo"\ncommand = ["sh", "-c", "echo $A"]\nenv = ["A={}"]\n'
    )
    for value in ("one", "two"):
        settings.write_text(text.format(value))
        for _ in range(3):
            result = held("--timings", "run", "--profile", "p")
            assert result.stdout == f"{value}\n"
            words = held("--timings", "run", "--profile", "p", "echo", value)
            assert words.stdout == f"{value}\n"
        warm(held)
    assert "client: told what to do" in words.stderr
