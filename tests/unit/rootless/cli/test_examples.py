"""Every command's help has an example that can be typed, and its errors say what to do next."""

import re
import shlex
from collections.abc import Iterator

import pytest
import typer

from rootless.cli import app
from rootless.cli.declared import DeclaredCommand, declared

LEAVES = [command for command in declared().walk() if not command.commands]
IDS = [" ".join(command.path) for command in LEAVES]
OWN_PARSER = ("runtime",)


def examples(command: DeclaredCommand) -> Iterator[list[str]]:
    """Yield the words of each `rootless …` of a command's examples."""
    text = re.sub(r"^\s*Examples?:", "", command.epilog.replace("\b", ""), flags=re.MULTILINE)
    for line in text.splitlines():
        for part in re.split(r"&&|[;|]|\$\(|\) ", line):
            words = shlex.split(part.partition(" >")[0].partition(")")[0], comments=True)
            if "rootless" in words:
                yield words[words.index("rootless") + 1 :]


@pytest.mark.parametrize("command", LEAVES, ids=IDS)
def test_the_help_has_an_example(command: DeclaredCommand) -> None:
    """Each is one of that command, or of what it is used with, and is taken as it stands."""
    shown = [words for words in examples(command) if words]
    name = {"ls": "images", "rm": "rmi"}.get(command.path[-1], command.path[-1])
    assert any(name in words[:2] or command.path[-1] in words[:2] for words in shown)
    whole = typer.main.get_command(app.app)
    for words in shown:
        context = whole.make_context("rootless", list(words))
        _, inner, rest = whole.resolve_command(context, words)  # type: ignore[attr-defined]
        while hasattr(inner, "resolve_command"):
            context = inner.make_context("", rest, parent=context)
            _, inner, rest = inner.resolve_command(context, rest)
        inner.make_context("", rest, parent=context)  # raises where an option is none


@pytest.mark.parametrize("command", LEAVES, ids=IDS)
def test_an_error_says_what_to_do(
    command: DeclaredCommand, capsys: pytest.CaptureFixture[str]
) -> None:
    """An option that there is not: one line, with the command whose help lists those that are."""
    assert app.run([*command.path, "--nosuch-option"]) == 125
    said = capsys.readouterr().err
    assert "rootless " + " ".join(command.path) in said
    assert "Traceback" not in said
    if command.path != OWN_PARSER:
        assert said.count("\n") == 1
        assert f"see 'rootless {' '.join(command.path)} --help'" in said
