"""`pause` and `resume`: which container can be frozen, and what is written to its cgroup."""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from rootless.errors import Conflict, Precondition
from rootless.runtime.pause import pause, resume
from rootless.runtime.status_file import StateFolder


def make(root: Path, *, pid: int, cgroup: str = "") -> None:
    """Keep a container whose process is `pid`."""
    with StateFolder.make(root, "box", root, b"{}") as folder:
        if pid:
            folder.set_process(pid, {}, cgroup=cgroup)
        else:
            folder.write(replace(folder.record(), pid=1 << 22, started=1))


def test_one_without_a_cgroup(tmp_path: Path) -> None:
    """Only a cgroup can be frozen."""
    make(tmp_path / "root", pid=os.getpid())
    with pytest.raises(Precondition, match="the container has no cgroup") as caught:
        pause(tmp_path / "root", "box")
    assert caught.value.check == "cgroup"


def test_one_that_has_stopped(tmp_path: Path) -> None:
    """There is nothing to freeze."""
    make(tmp_path / "root", pid=0)
    with pytest.raises(Conflict, match="cannot pause or resume a container that is stopped"):
        resume(tmp_path / "root", "box")


def test_what_is_written(tmp_path: Path) -> None:
    """cgroup-v2.rst: 1 freezes, 0 thaws; the kernel tells when it is so."""
    cgroup = tmp_path / "cgroup"
    cgroup.mkdir()
    (cgroup / "cgroup.freeze").write_text("")
    (cgroup / "cgroup.events").write_text("populated 1\nfrozen 1\n")
    make(tmp_path / "root", pid=os.getpid(), cgroup=str(cgroup))
    pause(tmp_path / "root", "box")
    assert (cgroup / "cgroup.freeze").read_text() == "1"
    (cgroup / "cgroup.events").write_text("populated 1\nfrozen 0\n")
    resume(tmp_path / "root", "box")
    assert (cgroup / "cgroup.freeze").read_text() == "0"
