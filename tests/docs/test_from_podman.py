"""The page for those who come from podman: beside podman's own help, and our declarations."""

import re
import subprocess
from pathlib import Path

import pytest

from rootless.cli.declared import declared

PAGE = Path(__file__).resolve().parents[2] / "docs" / "from-podman.md"
SECTIONS = dict(re.findall(r"^## (.+)\n([^#]*(?:#[^#]+)*)", PAGE.read_text(), re.MULTILINE))
COMMANDS = [(command, title) for title in SECTIONS for command in title.split(", ")]
OURS = {
    " ".join(command.path): {name for option in command.options for name in option.names}
    for command in declared().walk()
}
OF_RUN_ONLY = {"--detach", "--pidfile", "--attach", "--sig-proxy"}


def named(section: str) -> tuple[set[str], set[str]]:
    """Return the options that are the same, and those that a row of the table is about."""
    same = re.search(r"The same: ([^.]*)\.", section)
    rows = re.findall(r"^\| (`--.*?) \|", section, re.MULTILINE)
    options = re.compile(r"`(--[a-z0-9-]+)")
    return set(options.findall(same[1] if same else "")), set(options.findall(" ".join(rows)))


@pytest.mark.parametrize(("command", "title"), COMMANDS)
def test_every_option_of_podman(command: str, title: str) -> None:
    """Each is on the page: among those that are the same where we have it, else in the table."""
    same, others = named(SECTIONS[title])
    assert same - (OF_RUN_ONLY if command == "create" else set()) - OURS[command] == set()
    assert others & OURS[command] - OF_RUN_ONLY == set()
    words = ["podman", command, "--help"]
    done = subprocess.run(words, capture_output=True, text=True, check=True, timeout=60)
    short = dict(re.findall(r"^ +(-[a-zA-Z]), (--[a-z0-9-]+)", done.stdout, re.MULTILINE))
    theirs = set(re.findall(r"^ +(?:-[a-zA-Z], )?(--[a-z0-9-]+)", done.stdout, re.MULTILINE))
    assert len(theirs) > 1 or command in ("top", "attach", "diff", "export", "port", "cp", "load")
    assert theirs - same - others - {"--help"} == set()
    ours = OURS[command]
    letters = {letter: name for letter, name in short.items() if name in ours & same}
    assert {letter: name for letter, name in letters.items() if letter not in ours} == {}
