"""The command tree."""

import importlib

import pytest
import typer

from rootless.cli import app


def test_every_command_is_there_and_helps(capsys: pytest.CaptureFixture[str]) -> None:
    """Each name leads to a module with an `app`; its help ends well."""
    for name, command in app.COMMANDS.items():
        assert isinstance(importlib.import_module(command.module).app, typer.Typer)
        assert app.run([name, "--help"]) == 0
        assert f"rootless {name}" in capsys.readouterr().out


def test_list_of_commands(capsys: pytest.CaptureFixture[str]) -> None:
    """`rootless --help` shows each command with its line."""
    assert app.run(["--help"]) == 0
    shown = capsys.readouterr().out
    assert all(name in shown and command.help in shown for name, command in app.COMMANDS.items())


@pytest.mark.parametrize("words", [["nothing"], ["--nothing"], ["images", "--nothing"], ["tag"]])
def test_bad_usage_is_ours(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """What cannot be parsed is 125 and one line, not the parser's own 2."""
    assert app.run(words) == 125
    error = capsys.readouterr().err
    assert error.startswith("rootless: ")
    assert error.count("\n") == 1
    assert "--help" in error


def test_help_by_its_word(capsys: pytest.CaptureFixture[str]) -> None:
    """`help` shows what `--help` does, of all and of a command at any depth."""
    for words in ([], ["images"], ["bundle", "create"]):
        assert app.run(["help", *words]) == 0
        shown = capsys.readouterr().out
        assert app.run([*words, "--help"]) == 0
        assert shown == capsys.readouterr().out
        assert shown.startswith(" ".join(["Usage: rootless", *words]))


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    """--version prints the package's."""
    assert app.run(["--version"]) == 0
    assert capsys.readouterr().out.split()[0] == "rootless"


@pytest.mark.parametrize(
    ("words", "position"),
    [
        (["run", "--debug"], 0),
        (["--debug", "run"], 1),
        (["--debug"], 1),
        ([], 0),
        (["--store", "ro:/a", "--store=ro:/b", "run"], 3),
        (["--store"], 1),
    ],
)
def test_where_the_command_begins(words: list[str], position: int) -> None:
    """Options before the command are ours, those after it its own or the workload's."""
    assert app._first_word(words) == position
