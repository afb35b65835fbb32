"""The documentation says what is there: links, check names, commands and their options."""

import contextlib
import functools
import io
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from rootless.cli.app import COMMANDS, run
from rootless.doctor import hpc
from rootless.doctor.report import run_checks
from rootless.paths import Paths

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
WITH_VERBS = ("runtime", "store", "system", "image", "alias", "config")
IDS = [str(page.relative_to(ROOT)) for page in PAGES]


@pytest.mark.parametrize("page", PAGES, ids=IDS)
def test_links_lead_somewhere(page: Path) -> None:
    """Every relative link names a file that exists."""
    links = re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text())
    missing = [
        link for link in links if "://" not in link and not (page.parent / link).resolve().exists()
    ]
    assert missing == []


def test_every_check_is_documented(tmp_path: Path) -> None:
    """The doctor page has a row for each check, by its name."""
    page = (ROOT / "docs" / "doctor.md").read_text()
    checks = run_checks(Paths(tmp_path / "store", tmp_path / "run", tmp_path / "scratch"))
    checks += hpc.check_node(hpc.gather(Paths(tmp_path, tmp_path, tmp_path), str(tmp_path)))
    assert [check.name for check in checks if f"| `{check.name}` |" not in page] == []


def test_every_command_is_documented() -> None:
    """Each command is shown in use on some page."""
    text = "\n".join(page.read_text() for page in PAGES)
    assert [name for name in COMMANDS if f"rootless {name} " not in text] == []


def commands_shown(page: Path) -> Iterator[tuple[str, list[str]]]:
    """Yield the command and the options of every `rootless …` line of a page's shell blocks.

    A verb belongs to the command that has verbs: `runtime spec`.
    """
    for block in re.findall(r"```sh\n(.*?)```", page.read_text(), re.DOTALL):
        for line in block.splitlines():
            for part in re.split(r"[|;]|&&", line.partition("#")[0]):
                words = part.split()
                if words[:1] == ["rootless"] and words[1:2] and words[1] in WITH_VERBS:
                    yield " ".join(words[1:3]), options_of(words[1], words[3:])
                elif words[:1] == ["rootless"] and len(words) > 1 and words[1] in COMMANDS:
                    yield words[1], options_of(words[1], words[2:])


def options_of(command: str, words: list[str]) -> list[str]:
    """Return the options of a command line; the workload's own come after the image."""
    found: list[str] = []
    skip = False
    for word in words:
        if skip:
            skip = False
        elif word == "--":
            break
        elif word.startswith("--"):
            found.append(word.partition("=")[0])
            skip = "=" not in word and word not in ("--rm", "--read-only", "--json", "--all")
        elif word.startswith("-") and len(word) > 1:
            found += [f"-{letter}" for letter in word[1:]]
            skip = word in ("-e", "-v", "-w", "-f")
        elif command in ("run", "shell"):
            break
    return found


@functools.cache
def help_of(command: str) -> str:
    """Return what a command's --help prints."""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        assert run([*command.split(), "--help"]) == 0
    return printed.getvalue()


@pytest.mark.parametrize("page", PAGES, ids=IDS)
def test_options_exist(page: Path) -> None:
    """Every option that a page shows is one that the command's help lists."""
    unknown = [
        f"rootless {command} {option}"
        for command, options in commands_shown(page)
        for option in options
        if not re.search(rf"(?<![\w-]){option}(?![\w-])", help_of(command))
    ]
    assert unknown == []


def test_security_is_shown_by_tests() -> None:
    """Each row of the threat model's tables names a test that is there."""
    page = (ROOT / "docs" / "security.md").read_text()
    rows = [line for line in page.splitlines() if re.match(r"\| (?!attempt|---)", line)]
    for row in rows:
        named = re.findall(r"`(tests/[\w/]+\.py)(?:::(\w+))?`", row)
        assert named, row
        for file, test in named:
            assert f"def {test}" in (ROOT / file).read_text(), (file, test)
    assert len(rows) > 25


def test_behaviour_is_shown_by_tests() -> None:
    """Each test that the page on the overlay's behaviour names is there, and each row names one."""
    page = (ROOT / "docs" / "overlay-behaviour.md").read_text()
    rows = [line for line in page.splitlines() if re.match(r"\| (?!behaviour|---)", line)]
    for row in rows:
        named = re.findall(r"`(test_\w+\.py)::(\w+)`", row)
        assert named, row
        for file, test in named:
            text = (ROOT / "tests" / "mounted" / file).read_text()
            assert f"\ndef {test}(" in text, (file, test)
    assert len(rows) > 40
