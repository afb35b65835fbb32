"""From an exception to one line and a status."""

import errno
import os
import signal
import subprocess
import sys
from collections.abc import Callable

import pytest
import typer

from rootless.cli.exit import explain_os_error, print_line, status_of
from rootless.errors import CannotExecute, CommandNotFound, NotFound


def raising(error: BaseException) -> Callable[[], object]:
    """Return a command that fails so."""

    def call() -> object:
        raise error

    return call


@pytest.mark.parametrize(
    ("error", "status", "line"),
    [
        (NotFound("no such image", "x", "load it"), 125, "rootless: no such image: x (load it)\n"),
        (CannotExecute("cannot execute", "x"), 126, "rootless: cannot execute: x\n"),
        (CommandNotFound("not found", "x"), 127, "rootless: not found: x\n"),
        (typer.Exit(3), 3, ""),
        (typer.Abort(), 130, ""),
        (KeyboardInterrupt(), 130, ""),
        (typer.BadParameter("bad"), 125, "rootless: invalid value: bad\n"),
        (OSError(errno.EIO, "I/O error", "/x"), 125, "rootless: I/O error: /x\n"),
        (OSError("odd"), 125, "rootless: odd\n"),
    ],
)
def test_line_and_status(
    error: BaseException, status: int, line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each kind of failure has its status and at most one line."""
    assert status_of(raising(error), debug=False) == status
    assert capsys.readouterr().err == line


def test_mistake_of_ours(capsys: pytest.CaptureFixture[str]) -> None:
    """An error that nobody foresaw is one line that says how to see more: --debug."""
    assert status_of(raising(ZeroDivisionError("x")), debug=False) == 125
    line = capsys.readouterr().err
    assert line.startswith("rootless: internal error: ZeroDivisionError: x (")
    assert line.count("\n") == 1
    assert status_of(raising(ZeroDivisionError("x")), debug=True) == 125
    assert "Traceback" in capsys.readouterr().err


def test_status_of_a_command() -> None:
    """A number is the status; anything else is success."""
    assert status_of(lambda: 42, debug=False) == 42
    assert status_of(lambda: None, debug=False) == 0
    assert status_of(lambda: "text", debug=False) == 0


def test_ctrl_c_while_a_class_is_made() -> None:
    """Python makes another error of a Ctrl-C in `__set_name__`; it still ends the command."""

    class Interrupted:
        def __set_name__(self, owner: type, name: str) -> None:
            raise KeyboardInterrupt

    def call() -> None:
        type("Made", (), {"field": Interrupted()})

    assert status_of(call, debug=False) == 128 + signal.SIGINT


def test_output_that_cannot_be_written() -> None:
    """A full disk below standard output is one line that says so, and no traceback after it."""
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            [sys.executable, "-P", "-m", "rootless", "--help"],
            stdout=full,
            stderr=subprocess.PIPE,
            check=False,
            timeout=60,
        )
    line = b"rootless: cannot write: No space left on device: standard output\n"
    assert (done.returncode, done.stderr) == (125, line)


def test_reader_of_the_output_is_gone() -> None:
    """A closed pipe is a quiet end, as of any program in a pipeline."""
    read_fd, write_fd = os.pipe()
    os.close(read_fd)
    with os.fdopen(write_fd, "wb") as closed:
        done = subprocess.run(
            [sys.executable, "-P", "-m", "rootless", "--help"],
            stdout=closed,
            stderr=subprocess.PIPE,
            check=False,
            timeout=60,
        )
    assert (done.returncode, done.stderr) == (128 + signal.SIGPIPE, b"")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\x1b[31mb", "a\\x1b[31mb"),
        ("a\nrootless: b", "a\\nrootless: b"),
        ("a\x9b\u202eb", "a\\x9b\\u202eb"),
        ("é 漢", "é 漢"),
        ("a\udcffb", "a\\udcffb"),
    ],
)
def test_names_from_outside_are_shown(
    text: str, shown: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Terminal escapes, second lines and reversed text of a hostile name are made visible."""
    print_line(text)
    assert capsys.readouterr().err == f"rootless: {shown}\n"


def test_bytes_in_a_file_name() -> None:
    """A name that is no text is part of the error all the same."""
    assert explain_os_error(OSError(errno.EIO, "Input/output error", b"/\xff")).on == "/\udcff"
