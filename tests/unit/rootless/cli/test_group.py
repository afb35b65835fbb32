"""Groups of commands: no word, a wrong word."""

import pytest

from rootless.cli import app


@pytest.mark.parametrize("words", [[], ["bundle"]])
def test_no_word_shows_the_help(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Without a command the help goes to stderr, line by line, and the status is a failure's."""
    assert app.run(words) == 125
    shown = capsys.readouterr()
    assert app.run([*words, "--help"]) == 0
    assert shown.err == capsys.readouterr().out
    assert shown.out == ""


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["imags"], "no such command: imags (did you mean images or image? see 'rootless --help')"),
        (["rmm"], "no such command: rmm (did you mean rm or rmi? see 'rootless --help')"),
        (["nosuch"], "no such command: nosuch (see 'rootless --help')"),
        (["help", "nosuch"], "no such command: nosuch (see 'rootless --help')"),
        (
            ["bundle", "creat"],
            "no such command: creat (did you mean create? see 'rootless bundle --help')",
        ),
    ],
)
def test_a_wrong_word(words: list[str], line: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A command that is not there is named, with those that were perhaps meant."""
    assert app.run(words) == 125
    assert capsys.readouterr().err == f"rootless: {line}\n"
