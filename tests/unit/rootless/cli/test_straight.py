"""Words that are read without typer mean what typer makes of them, and odd ones are left to it."""

import importlib.machinery
import importlib.util
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import typer
from hypothesis import given, settings
from hypothesis import strategies as st

from rootless.cli import option_table
from rootless.cli.straight import read, straight

SCRIPT = Path(__file__).parents[4] / "contrib/option_table"


def _script() -> ModuleType:
    loader = importlib.machinery.SourceFileLoader("contrib_option_table", str(SCRIPT))
    spec = importlib.util.spec_from_loader(loader.name, loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return module


MAKER = _script()


def by_typer(words: list[str]) -> dict[str, Any] | None:
    """Return what typer makes of the words; None where it has something to say."""
    try:
        return dict(MAKER.values(words[0], words[1:]))
    except (typer.TyperException, IndexError):  # nothing was called: help was shown
        return None


def test_table_is_of_these_declarations() -> None:
    """The table in the package is what contrib/option_table makes now."""
    made: dict[str, Any] = {}
    exec(MAKER.text(), made)
    assert made["COMMANDS"] == option_table.COMMANDS


ORDINARY = (
    "run debian true",
    "run --rm -it debian bash -c x",
    "run -itd -eA=b -e C=d --env=E= --env F debian",
    "run -p80:80 -p 81:81 --name=a --name b -v .:/w:ro debian ls -l --color",
    "run --read-only --no-read-only-tmpfs --entrypoint= debian",
    "run -u 1:1 -w=/x --memory 1g -- debian --x",
    "run --workdir --rm debian",
    "run --bundle b",
    "run",
    "create --name x debian",
    "exec -it web sh -c x",
    "exec web -- ls",
    "exec -e A -u root web env",
    "start a b",
    "start a --no-sig-proxy -a",
    "stop -t 3 a",
    "stop a -t3",
    "kill -s HUP a b",
    "wait a",
    "wait --latest",
    "start --all --filter label=a",
    "rm -f a",
    "rm -af",
    "ps -aq",
    "ps -a --filter name=x -f id=y --format json --no-trunc -n 3",
    "ps --last=-1",
)
UNUSUAL = (
    *("run --help", "run --nosuch debian", "run -Z debian", "run --name", "run --rm=1 debian"),
    *("run -e", "exec", "exec -i", "start -x", "kill -s", "wait -x", "ps --last x"),
    "ps --last 1_0",
    *("ps a", "ps --last ٣", "run --n x debian", "stop -h", "nosuch", "--debug ps", "images"),
    *("run -Zt debian", "run -tZ debian", "container ps", "--version", "help run"),
)


@pytest.mark.parametrize("line", ORDINARY)
def test_ordinary_words(line: str) -> None:
    """Ordinary words are read, and as typer reads them."""
    given_ = read(line.split())
    assert given_ is not None
    assert given_ == by_typer(line.split())


@pytest.mark.parametrize("line", UNUSUAL)
def test_unusual_words(line: str) -> None:
    """What is not quite ordinary is typer's."""
    assert straight(line.split()) is None


def test_nothing_and_no_text() -> None:
    """No word, and bytes that are no text, are typer's."""
    assert straight([]) is None
    assert straight(["run", "\udcff", "true"]) is None


def test_values_are_not_shared() -> None:
    """One reading leaves nothing for the next."""
    first = read(["run", "-e", "A", "x"])
    assert first is not None
    assert first["env"] == ["A"]
    second = read(["run", "x"])
    assert second is not None
    assert second["env"] is None


def _words(command: str) -> st.SearchStrategy[list[str]]:
    spelled: list[str] = []
    for item in option_table.COMMANDS[command]["parameters"].values():
        spelled += " ".join(item[2:]).split()
    text = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=5)
    name = st.sampled_from(spelled or ["--help"])
    letters = "".join(word[1] for word in spelled if len(word) == 2) + "Zx="
    word = st.one_of(
        name,
        st.sampled_from(["--", "-", "", "x", "a=b", "-1", "7", "--help", "--x"]),
        text,
        st.builds("{}={}".format, name, text),
        st.text(letters, min_size=1, max_size=4).map("-{}".format),
    )
    return st.lists(word, max_size=8).map(lambda words: [command, *words])


@settings(database=None, deadline=None)
@given(st.sampled_from(sorted(option_table.COMMANDS)).flatmap(_words))
def test_any_words(words: list[str]) -> None:
    """Whatever is read is what typer makes of it."""
    given_ = read(words)
    assert given_ is None or given_ == by_typer(words)
