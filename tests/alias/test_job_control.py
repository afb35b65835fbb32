"""Aliases as jobs of an interactive shell, on a real terminal."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from desks import Desk
from pseudo_terminal import CTRL_C, CTRL_D, CTRL_Z, SIZE, PseudoTerminal

pytestmark = [pytest.mark.needs_fuse, pytest.mark.needs_user]

PROMPT = "prompt> "


@contextmanager
def bash(desk: Desk) -> Iterator[PseudoTerminal]:
    """Give an interactive bash, and see to its end."""
    environ = {**desk.environ, "PS1": PROMPT, "TERM": "xterm-256color", "HISTFILE": "/dev/null"}
    command = ["bash", "--norc", "--noprofile", "-i"]
    with PseudoTerminal(command, environ) as terminal:
        terminal.expect(PROMPT)
        do(terminal, "bind 'set enable-bracketed-paste off'")
        do(terminal, f"cd '{desk.folder}'")
        yield terminal
        terminal.type("exit 0\n")
        assert terminal.finish()[0] == 0


def do(terminal: PseudoTerminal, line: str) -> str:
    """Type a line; return what it says up to the next prompt."""
    terminal.type(f"{line}\n")
    terminal.expect("\n")  # the echo
    return terminal.expect(PROMPT).replace("\r", "")


@pytest.mark.both_users
def test_the_terminal_is_the_caller_s(python: Desk) -> None:
    """It has its size, type and colours; it is no terminal where it is redirected."""
    with bash(python) as terminal:
        script = (
            'import os, sys; print(*os.get_terminal_size(), os.environ[\\"TERM\\"],'
            "*(s.isatty() for s in (sys.stdin, sys.stdout, sys.stderr)),"
            'open(\\"/dev/tty\\").isatty(), bool(os.ttyname(0)))'
        )
        said = do(terminal, f'python3.11 -c "{script}"')
        size = f"{SIZE[1]} {SIZE[0]}"
        assert said == f"{size} xterm-256color True True True True True\n"
        said = do(terminal, f'python3.11 -c "{script}" 2>/dev/null </dev/tty')
        assert said == f"{size} xterm-256color True True False True True\n"
        said = do(terminal, 'python3.11 -c "import sys; print(sys.stdout.isatty())" | cat')
        assert said == "False\n"


@pytest.mark.both_users
def test_stop_continue_interrupt(python: Desk) -> None:
    """Ctrl-Z stops the job, fg and bg continue it, Ctrl-C and kill %1 end it, once each."""
    script = (
        "import os, signal, time\n"
        "signal.signal(signal.SIGINT, lambda *_: os.write(1, b'int\\n'))\n"
        "print('up', flush=True)\n"
        "while True: time.sleep(0.05)\n"
    )
    (python.folder / "job.py").write_text(script)
    with bash(python) as terminal:
        terminal.type("python3.11 job.py\n")
        terminal.expect("up\r\n")
        terminal.type(CTRL_C)
        terminal.expect("int\r\n")
        terminal.type(CTRL_Z)
        assert "Stopped" in terminal.expect(PROMPT)
        assert "Stopped" in do(terminal, "jobs")
        terminal.type("fg\n")
        terminal.expect("job.py\r\n")
        time.sleep(0.2)
        terminal.type(CTRL_C)
        assert "int" not in terminal.expect("int\r\n")
        terminal.type(CTRL_Z)
        assert terminal.expect(PROMPT).count("int") == 0
        assert "job.py &" in do(terminal, "bg")
        assert "Running" in do(terminal, "jobs")
        assert "ended 143" in do(terminal, "kill %1; wait %1; echo ended $?")


def test_the_default_actions(python: Desk) -> None:
    """Ctrl-C ends a command that does nothing about it, and a pipeline; the status says so."""
    with bash(python) as terminal:
        # the default action: the interpreter's own handler may come too late for a sleep
        script = "import signal, time; signal.signal(2, 0); print(1, flush=True); time.sleep(60)"
        terminal.type(f"python3.11 -c '{script}' | cat\n")
        terminal.expect("1\r\n")
        terminal.type(CTRL_C)
        terminal.expect(PROMPT)
        assert do(terminal, 'echo "${PIPESTATUS[*]}"') == "130 130\n"
        # a shell goes on with its list after a status, and not after a death by SIGINT
        terminal.type(f"for i in 1 2; do python3.11 -c '{script}'; done; echo went on\n")
        terminal.expect("1\r\n")
        terminal.type(CTRL_C)
        assert "went on" not in terminal.expect(PROMPT)


def test_a_pager_gets_its_keys(python: Desk) -> None:
    """What is typed goes to the program that reads the terminal, not to the one before the pipe."""
    with bash(python) as terminal:
        reader = 'read -r line </dev/tty; echo "got $line"'
        alias = "python3.11 -c 'import time; print(1, flush=True); time.sleep(1)'"
        terminal.type(f"{alias} | {{ read -r n; echo ready $n; {reader}; }}\n")
        terminal.expect("ready 1\r\n")
        terminal.type("typed\n")
        terminal.expect("got typed")
        terminal.expect(PROMPT)


def test_an_interactive_program(python: Desk) -> None:
    """A prompt of its own, its line editing, Ctrl-Z out of it and back, Ctrl-D to leave it."""
    with bash(python) as terminal:
        terminal.type("python3.11\n")
        terminal.expect(">>> ")
        terminal.type("print(6*7)\n")
        assert "42" in terminal.expect(">>> ")
        terminal.type(CTRL_Z)
        assert "Stopped" in terminal.expect(PROMPT)
        terminal.type("fg\n")
        terminal.expect("python3.11")
        terminal.type("\nprint(7*7)\n")
        terminal.expect("49")
        terminal.expect(">>> ")
        before = terminal.attributes()
        terminal.type(CTRL_D)
        terminal.expect(PROMPT)
        assert before[3] != 0


def test_completion_of_files(python: Desk) -> None:
    """Tab completes the name of a file behind an alias, as behind any command."""
    (python.folder / "a-long-name.py").write_text("print('completed')\n")
    with bash(python) as terminal:
        terminal.type("python3.11 a-lo\t\n")
        assert "completed" in terminal.expect(PROMPT)


def test_without_the_home_it_cannot_type(desk: Desk) -> None:
    """Who has not the caller's home has no way to type into his terminal (TIOCSTI)."""
    desk.alias("add", "apart", "--image", "debian-demo", "--share", "cwd", "--", "python3", "-c")
    script = "import os; print(os.getsid(0) == os.getpid(), os.isatty(0))"
    with bash(desk) as terminal:
        assert do(terminal, f'apart "{script}"') == "True True\n"
        terminal.type("apart 'import time; print(1, flush=True); time.sleep(60)'\n")
        terminal.expect("1\r\n")
        terminal.type(CTRL_Z)
        assert "Stopped" in terminal.expect(PROMPT)
        terminal.type("fg\n")
        time.sleep(0.2)
        terminal.type(CTRL_C)
        terminal.expect(PROMPT)
