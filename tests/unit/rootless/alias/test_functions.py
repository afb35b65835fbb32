"""`rootless.alias.functions`: what shells evaluate."""

import subprocess
import tempfile
from pathlib import Path

import pytest

from rootless.alias import functions

FOLDER = "/a b/it's"


def run(shell: str, text: str, path: str = "/usr/bin:/bin") -> subprocess.CompletedProcess[str]:
    """Run a text in a shell without its start-up files, in a home of its own."""
    options = {"bash": ["--norc", "--noprofile"], "zsh": ["-f"]}.get(shell, [])
    with tempfile.TemporaryDirectory() as home:  # fish wants to write there
        return subprocess.run(
            [shell, *options, "-c", text],
            capture_output=True,
            text=True,
            env={"PATH": path, "HOME": home},
            check=False,
        )


@pytest.mark.parametrize("shell", functions.SHELLS)
def test_the_folder_comes_first_once(shell: str) -> None:
    """The folder is put in front of the PATH, whatever is in its name, and only once."""
    text = functions.text(shell, FOLDER, [])
    show = "string join : $PATH" if shell == "fish" else 'echo "$PATH"'
    said = run(shell, f"{text}\n{text}\n{show}")
    assert said.stderr == ""
    assert said.stdout.strip().split(":")[0] == FOLDER
    assert said.stdout.count(FOLDER) == 1


@pytest.mark.parametrize("shell", functions.SHELLS)
def test_output_is_evaluated(shell: str, tmp_path: Path) -> None:
    """What an alias prints is evaluated in the shell; its failure evaluates nothing."""
    assignment = "set -g X $1" if shell == "fish" else "X=$1"
    tool = tmp_path / "setx"
    tool.write_text(f'#!/bin/sh\necho "{assignment}; echo set"\n[ "$1" != bad ]\n')
    tool.chmod(0o755)
    text = functions.text(shell, str(tmp_path), ["setx"])
    status = "$status" if shell == "fish" else "$?"
    said = run(shell, f'{text}\nsetx "7"; echo "$X"; setx bad; echo "{status} $X"')
    assert said.stderr == ""
    assert said.stdout.split("\n")[:3] == ["set", "7", "1 7"]


def test_what_is_new_is_found() -> None:
    """The function around rootless keeps its status, and has bash look anew after a change."""
    text = functions.text("bash", "/x", [])
    script = 'command() { echo "$@"; return 3; }\nhash() { echo hashed; }\n'
    said = run("bash", f"{script}{text}\nrootless alias add x; echo $?; rootless ps; echo $?")
    assert said.stdout.split("\n")[:5] == [
        "rootless alias add x",
        "hashed",
        "3",
        "rootless ps",
        "3",
    ]


def test_fish_quotes() -> None:
    """Backslash and quote are the two that fish has within single quotes."""
    assert functions.text("fish", "/a'b\\c", []).startswith("contains -- '/a\\'b\\\\c' $PATH;")
