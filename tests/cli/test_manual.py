"""The manual pages that the wheel brings, in the eyes of groff and mandoc."""

import re
import subprocess
import sys
from pathlib import Path

from rootless.cli.declared import declared
from rootless.cli.manual import page_name

PAGES = Path(sys.prefix, "share", "man", "man1")


def test_every_command_has_a_page() -> None:
    """One page for each command, and none without one."""
    wanted = {f"{page_name(command.path)}.1" for command in declared().walk()}
    assert {page.name for page in PAGES.glob("rootless*.1")} == wanted


def test_the_pages_are_well_formed() -> None:
    """Neither judge has a warning."""
    pages = sorted(PAGES.glob("rootless*.1"))
    lint = ["mandoc", "-Tlint", "-Wwarning", *map(str, pages)]
    done = subprocess.run(lint, capture_output=True, text=True, check=False, timeout=60)
    assert (done.stdout, done.stderr, done.returncode) == ("", "", 0)
    troff = ["groff", "-man", "-Tutf8", "-ww", "-z", *map(str, pages)]
    done = subprocess.run(troff, capture_output=True, text=True, check=False, timeout=60)
    assert (done.stderr, done.returncode) == ("", 0)


def test_a_page_reads_as_the_help_does() -> None:
    """Groups, options, values and examples of `run` are there, as they are typed."""
    shown = subprocess.run(
        ["mandoc", "-Tascii", str(PAGES / "rootless-run.1")],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    ).stdout
    text = re.sub(r".\x08", "", shown)  # bold and underlined, as a terminal of paper has it
    assert "rootless run [OPTIONS] IMAGE [COMMAND [ARGUMENT]...]" in text
    assert "--env, -e NAME[=VALUE]" in text
    assert "rootless run -v .:/work -w /work debian make\n" in text
    (run,) = (command for command in declared().walk() if command.path == ("run",))
    assert [name for option in run.options for name in option.names if name not in text] == []
