"""The whole report, for people and for programs."""

import json
from pathlib import Path

import pytest

from rootless.doctor.check import Check, State
from rootless.doctor.report import can_run, run_checks, to_json, to_text
from rootless.paths import Paths

NAMES = [
    "kernel",
    "userns",
    "subid",
    "id-map-helpers",
    "fuse-device",
    "fusermount",
    "store",
    "additional-stores",
    "scratch",
    "runtime-folder",
    "overlay",
    "network",
    "seccomp",
    "cgroup",
    "libraries",
]
FINE = Check("kernel", State.OK, "Linux 6.1")
LESS = Check("subid", State.WARNING, "0 sub-UIDs", "no line", "as root: usermod")
STOP = Check("fuse-device", State.FAILED, "not there", "no module", "as root: modprobe fuse")


def test_warnings_do_not_stand_in_the_way() -> None:
    """Only a failed check says that nothing can run."""
    assert can_run([FINE, LESS])
    assert not can_run([FINE, LESS, STOP])


def test_json() -> None:
    """Programs get every field of every check, and the verdict."""
    document = json.loads(to_json([FINE, STOP]))
    assert document["can_run"] is False
    assert document["checks"][1] == {
        "name": "fuse-device",
        "state": "failed",
        "seen": "not there",
        "cause": "no module",
        "fix": "as root: modprobe fuse",
    }


def test_text() -> None:
    """People get a line a check, cause and fix below it, and the verdict last."""
    lines = to_text([FINE, LESS], width=80, color=False).splitlines()
    assert lines[0] == "ok       kernel  Linux 6.1"
    assert [line.split() for line in lines[2:4]] == [
        ["cause", "no", "line"],
        ["fix", "as", "root:", "usermod"],
    ]
    assert lines[-1] == "rootless run can work here"


def test_text_wraps_and_colors() -> None:
    """On a terminal long lines wrap at its width, below where they began."""
    check = Check("store", State.FAILED, "word " * 30)
    text = to_text([check], width=50, color=True)
    assert text.startswith("\x1b[31mfailed ")
    body = text.splitlines()
    assert max(len(line) for line in body) <= 50 + len("\x1b[31m\x1b[0m")
    assert body[1].startswith(" " * 16 + "word")
    assert body[-1] == "rootless run cannot work here yet: store"


@pytest.mark.both_users
def test_this_host(tmp_path: Path) -> None:
    """All checks run on the real host, each once, in order, and leave nothing behind."""
    checks = run_checks(Paths(tmp_path / "store", tmp_path / "run", tmp_path / "scratch"))
    assert [check.name for check in checks] == NAMES
    assert can_run(checks), to_text(checks, width=100, color=False)
    assert all(check.fix for check in checks if check.state is not State.OK)
    assert list(tmp_path.iterdir()) == []
