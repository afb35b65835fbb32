"""Bytes between the caller's terminal and the container's, on pseudo-terminals of the test's."""

import os
import select
import termios
import tty
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rootless.linux import terminal
from rootless.linux.terminal import Terminal


class Sides:
    """A caller's standard streams, in place of the test's own, and a container's terminal."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.caller, self.stdin = os.openpty()
        self.out, self.stdout = os.pipe()
        self.master, self.slave = os.openpty()
        tty.setraw(self.slave)
        monkeypatch.setattr(terminal, "_STDIN", self.stdin)
        monkeypatch.setattr(terminal, "_STDOUT", self.stdout)

    def terminal(self, *, interactive: bool = True) -> Terminal:
        """Return the passing terminal; it owns the container's master."""
        return Terminal(os.dup(self.master), interactive=interactive, saved=terminal.state())

    def attributes(self) -> list[Any]:
        """Return how the caller's terminal is set."""
        return termios.tcgetattr(self.stdin)

    def close(self, *names: str) -> None:
        """Close some, or what is left."""
        for name in names or tuple(vars(self)):
            fd = getattr(self, name)
            if fd >= 0:
                os.close(fd)
                setattr(self, name, -1)


@pytest.fixture
def sides(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sides]:
    """Both sides."""
    both = Sides(monkeypatch)
    yield both
    both.close()


def pump(passing: Terminal) -> None:
    """Serve what is ready, as the command line's loop does, until nothing is."""
    while True:
        poll = select.poll()
        for fd, events in passing.interests().items():
            poll.register(fd, events)
        ready = poll.poll(20)
        if not ready:
            return
        for fd, _ in ready:
            passing.serve(fd)


def test_bytes_go_both_ways(sides: Sides) -> None:
    """What is typed arrives unchanged, and what is printed too."""
    passing = sides.terminal()
    os.write(sides.caller, b"typed\x03\r")
    os.write(sides.slave, b"printed\n")
    pump(passing)
    assert os.read(sides.slave, 100) == b"typed\x03\r"
    assert os.read(sides.out, 100) == b"printed\n"
    passing.close()


def test_the_callers_terminal_is_raw_meanwhile(sides: Sides) -> None:
    """It is raw from the beginning to close, apart from a suspension."""
    before = sides.attributes()
    passing = sides.terminal()
    raw = sides.attributes()
    assert not raw[3] & (termios.ECHO | termios.ICANON | termios.ISIG)
    passing.suspend()
    assert sides.attributes() == before
    passing.resume()
    assert sides.attributes() == raw
    passing.close()
    passing.close()  # idempotent
    assert sides.attributes() == before


def test_without_input_the_callers_terminal_is_left(sides: Sides) -> None:
    """Without `interactive` nothing is read and nothing set."""
    before = sides.attributes()
    passing = sides.terminal(interactive=False)
    assert sides.attributes() == before
    assert sides.stdin not in passing.interests()
    passing.close()


def test_a_full_pipe_is_not_waited_for(sides: Sides) -> None:
    """Output that nobody reads is kept, and no more is taken from the container until it is."""
    passing = sides.terminal()
    os.set_blocking(sides.slave, False)
    sent = 0
    while True:
        pump(passing)
        try:
            sent += os.write(sides.slave, b"x" * 4096)
        except BlockingIOError:
            break
    assert passing.output_waits
    assert passing.master_fd not in passing.interests()
    got = 0
    while got < sent:
        got += len(os.read(sides.out, 1 << 20))
        pump(passing)
    assert got == sent
    passing.close()


def test_the_standard_output_stays_blocking(sides: Sides) -> None:
    """O_NONBLOCK is not set for the open file that the caller shares."""
    passing = sides.terminal()
    assert os.get_blocking(sides.stdout)
    passing.close()


def test_a_reader_that_went_is_a_broken_pipe(sides: Sides) -> None:
    """Writing for nobody raises BrokenPipeError."""
    passing = sides.terminal()
    sides.close("out")
    os.write(sides.slave, b"words")
    with pytest.raises(BrokenPipeError):
        pump(passing)
    passing.close()


def test_output_to_a_file(sides: Sides, tmp_path: Path) -> None:
    """A regular file is written at its shared offset: the caller may have written before."""
    fd = os.open(tmp_path / "out", os.O_WRONLY | os.O_CREAT, 0o600)
    os.write(fd, b"before ")
    os.dup2(fd, sides.stdout)
    passing = sides.terminal()
    os.write(sides.slave, b"during ")
    pump(passing)
    passing.close()
    os.write(fd, b"after")
    os.close(fd)
    assert (tmp_path / "out").read_bytes() == b"before during after"


@pytest.mark.parametrize(
    ("data", "arrives"), [(b"", b"\x04"), (b"line\n", b"line\n\x04"), (b"word", b"word\x04\x04")]
)
def test_the_end_of_a_pipe(sides: Sides, data: bytes, arrives: bytes) -> None:
    """The end of the input is sent as a terminal sends it; twice where a line is not complete."""
    reader, writer = os.pipe()
    os.dup2(reader, sides.stdin)
    os.close(reader)
    os.write(writer, data)
    passing = sides.terminal()
    pump(passing)
    os.close(writer)
    pump(passing)
    assert os.read(sides.slave, 100) == arrives
    assert sides.stdin not in passing.interests()
    passing.close()


def test_the_end_of_the_container(sides: Sides) -> None:
    """When the container's side is closed the rest of the output comes, then nothing is awaited."""
    passing = sides.terminal()
    os.write(sides.slave, b"last words")
    sides.close("slave")
    while passing.move_output():
        assert not passing.output_waits
    assert os.read(sides.out, 100) == b"last words"
    assert passing.master_fd not in passing.interests()
    passing.close()


def test_the_size_is_passed_on(sides: Sides) -> None:
    """The container's terminal gets the caller's window size, at once and when it changes."""
    termios.tcsetwinsize(sides.caller, (30, 90))
    passing = sides.terminal()
    assert termios.tcgetwinsize(sides.slave) == (30, 90)
    termios.tcsetwinsize(sides.caller, (40, 120))
    passing.fit()
    assert termios.tcgetwinsize(sides.slave) == (40, 120)
    passing.close()


def test_restores_what_is_raw_only(sides: Sides) -> None:
    """A terminal that is raw as we left it is put back; one that its shell has set is not."""
    before = terminal.state()
    assert before is not None
    tty.setraw(sides.stdin, termios.TCSANOW)
    terminal.restore_if_raw(before)
    assert terminal.state() == before
    tty.setcbreak(sides.stdin, termios.TCSANOW)
    chosen = terminal.state()
    terminal.restore_if_raw(before)
    assert terminal.state() == chosen


def test_no_terminal_has_no_state(sides: Sides) -> None:
    """Where standard input is none there is nothing to put back."""
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, sides.stdin)
    os.close(null)
    assert terminal.state() is None
