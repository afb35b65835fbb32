"""What the help of every command looks like, and how its usage errors read."""

import re

import pytest

from rootless.cli import app

COMMANDS = [[name] for name in app.COMMANDS if name != "bundle"]
COMMANDS += [["bundle", "create"], ["bundle", "spec"]]


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_help_is_plain(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Help has no types of Python and no boxes, and no completion of typer's."""
    assert app.run([*words, "--help"]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith(f"Usage: rootless {' '.join(words)} [OPTIONS]")
    assert "install-completion" not in shown
    shown = re.sub(r"\{\{.*?\}\}", "", shown)  # a template is none of typer's
    assert not re.search(r"<(str|int|bool|path|list)|[{}─]", shown, re.IGNORECASE)


def test_usage_shows_what_may_be_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    """Brackets are around what is optional, dots behind what may come several times."""
    for words, usage in (
        (["images"], "[OPTIONS] [NAME]"),
        (["tag"], "[OPTIONS] IMAGE NAME..."),
        (["load"], "[OPTIONS] [SOURCE]..."),
        (["bundle", "create"], "[OPTIONS] IMAGE DIR [COMMAND]..."),
    ):
        assert app.run([*words, "--help"]) == 0
        assert capsys.readouterr().out.partition("\n")[0].endswith(usage)


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["tag"], "missing argument 'IMAGE' (see 'rootless tag --help')"),
        (["inspect", "-f"], "option '-f' requires an argument (see 'rootless inspect --help')"),
        (
            ["images", "--no-trunk"],
            "no such option: --no-trunk (did you mean --no-trunc? see 'rootless images --help')",
        ),
        (["doctor", "--nosuch"], "no such option: --nosuch (see 'rootless doctor --help')"),
    ],
)
def test_usage_errors(words: list[str], line: str, capsys: pytest.CaptureFixture[str]) -> None:
    """What cannot be parsed is one line that names the command, and what was perhaps meant."""
    assert app.run(words) == 125
    assert capsys.readouterr().err == f"rootless: {line}\n"
