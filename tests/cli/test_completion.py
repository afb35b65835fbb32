"""Completion in bash: the script that `rootless` prints, run by a real bash."""

import subprocess
from pathlib import Path

import pytest
from executable import Rootless

# What bash does when Tab is pressed: it sets the words and calls the function for the command.
_TAB = """
_tab() {
    COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMPREPLY=()
    $(complete -p rootless | sed 's/.*-F \\([^ ]*\\).*/\\1/') "$1"
    echo "${COMPREPLY[@]}"
}
"""


def bash(rootless: Rootless, script: str) -> subprocess.CompletedProcess[str]:
    """Run a script with `rootless` on its PATH; completion finds out that bash called it."""
    folder = Path(rootless.executable).parent
    environ = {**rootless.home.environ, "PATH": f"{folder}:{rootless.home.environ['PATH']}"}
    return subprocess.run(
        ["bash", "--norc", "-c", f"{script}\ntrue"],
        env=environ,
        cwd=rootless.home.path,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.mark.parametrize(
    ("typed", "completed"),
    [
        ("rootless im", "import images image"),
        ("rootless bundle c", "create"),
        ("rootless run --overlay-", "--overlay-driver"),
        ("rootless nosuch x", ""),
    ],
)
def test_completes(rootless: Rootless, typed: str, completed: str) -> None:
    """The printed script completes commands, commands of commands, and options."""
    done = bash(rootless, f"source <(rootless --show-completion)\n{_TAB}\n_tab {typed}")
    assert (done.stdout, done.stderr) == (f"{completed}\n", "")


def test_installs_for_the_next_shell(rootless: Rootless) -> None:
    """--install-completion adds to .bashrc, once, what a new shell completes with."""
    rc = Path(rootless.home.environ["HOME"], ".bashrc")
    rc.write_text("alias ours=true\n")
    done = bash(rootless, "rootless --install-completion; echo status $?")
    assert done.stdout.endswith("status 0\n")
    assert done.stderr == ""
    bash(rootless, "rootless --install-completion")
    assert rc.read_text().startswith("alias ours=true\n")
    assert rc.read_text().count("source ") == 1
    assert bash(rootless, f"source {rc}\n{_TAB}\n_tab rootless doc").stdout == "doctor\n"


def test_an_unknown_shell(rootless: Rootless) -> None:
    """A shell that has no completion is named, and the status is our failure's."""
    done = bash(rootless, "dash -c 'rootless --show-completion; echo status $?'")
    assert done.stdout == "status 125\n"
    assert "dash" in done.stderr
    assert done.stderr.count("\n") == 1
