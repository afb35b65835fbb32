"""`rootless.containers.pause`: whose cgroup is frozen, and when it is let go."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from rootless.containers import pause


@pytest.fixture
def sleeper() -> Iterator[int]:
    """A process."""
    with subprocess.Popen(["sleep", "60"]) as process:
        yield process.pid
        process.kill()


@pytest.fixture
def cgroup(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that looks like a cgroup, in which every process but this one is said to be."""
    folder = tmp_path / "user" / "container"
    folder.mkdir(parents=True)
    (folder / "cgroup.freeze").write_text("0")
    (folder / "cgroup.events").write_text("populated 1\nfrozen 1\nfrozen 0\n")  # as it is asked for
    monkeypatch.setattr(
        pause, "_cgroup_of", lambda pid: "/user/own" if pid == "self" else "/user/container"
    )
    return folder


def test_is_frozen_within_the_block(cgroup: Path, tmp_path: Path, sleeper: int) -> None:
    """1 is written before and 0 after, whatever happens in it."""

    def within() -> None:
        with pause.paused(sleeper, wanted=True, cgroups=tmp_path):
            assert (cgroup / "cgroup.freeze").read_text() == "1"
            raise KeyError

    with pytest.raises(KeyError):
        within()
    assert (cgroup / "cgroup.freeze").read_text() == "0"


def test_nothing_happens_unasked(cgroup: Path, tmp_path: Path, sleeper: int) -> None:
    """Not wanted, or not running: nothing is written."""
    (cgroup / "cgroup.freeze").write_text("as it was")
    for pid, wanted in ((sleeper, False), (0, True)):
        with pause.paused(pid, wanted=wanted, cgroups=tmp_path):
            assert (cgroup / "cgroup.freeze").read_text() == "as it was"


def test_our_own_cgroup_is_not_frozen(sleeper: int, caplog: pytest.LogCaptureFixture) -> None:
    """A process in the caller's cgroup goes on running, which is said."""
    with pause.paused(sleeper, wanted=True):
        os.kill(sleeper, 0)
    assert "goes on running" in caplog.text
