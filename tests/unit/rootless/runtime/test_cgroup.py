"""One cgroup, as far as plain folders show it; tests/run/test_cgroups.py has the kernel's."""

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from rootless.errors import NotFound, RootlessError
from rootless.runtime import cgroup as cgroup_module
from rootless.runtime.cgroup import Cgroup, join
from rootless.runtime.cgroup_statistics import CgroupStatistics


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Cgroup]:
    """A folder that looks like a cgroup with one below it."""
    (tmp_path / "box/inner").mkdir(parents=True)
    for folder in ("box", "box/inner"):
        (tmp_path / folder / "cgroup.procs").touch()
    cgroup = Cgroup(tmp_path / "box")
    yield cgroup
    cgroup.close()


def test_a_process_is_added(box: Cgroup) -> None:
    """Its number is written, and no descriptor stays open."""
    box.add(42)
    assert (box.path / "cgroup.procs").read_text() == "42"


def test_joining(box: Cgroup) -> None:
    """`0` is the writer itself; without a cgroup nothing is written anywhere."""
    join(box.procs_fd())
    join(-1)
    assert (box.path / "cgroup.procs").read_text() == "0"
    assert box.procs_fd() == box.procs_fd()


def test_the_first_process_is_let_go(box: Cgroup) -> None:
    """What holds the place in a scope is told when the container's process has come."""
    read_fd, write_fd = os.pipe()
    held = Cgroup(box.path, write_fd)
    held.add(1)
    assert os.read(read_fd, 2) == b"\n"
    assert os.read(read_fd, 1) == b""
    os.close(read_fd)
    held.close()  # twice is once


def test_processes_of_the_tree(box: Cgroup) -> None:
    """Those below count as well."""
    (box.path / "cgroup.procs").write_text("7\n5\n")
    (box.path / "inner/cgroup.procs").write_text("6\n")
    assert box.pids() == (5, 6, 7)


def test_a_cgroup_that_has_gone(tmp_path: Path) -> None:
    """Ending and removing it is nothing to do, everything else says that it is not there."""
    gone = Cgroup(tmp_path / "gone")
    gone.kill()
    gone.remove()
    assert gone.pids() == ()
    assert not gone.is_frozen()
    assert gone.statistics() == CgroupStatistics()
    for action in (lambda: gone.add(1), gone.freeze, gone.thaw):
        with pytest.raises(NotFound, match="is not there"):
            action()


def test_one_that_does_not_freeze_is_thawed(box: Cgroup, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not left half frozen."""
    monkeypatch.setattr(cgroup_module, "_FREEZE_SECONDS", 0.05)
    (box.path / "cgroup.freeze").touch()
    (box.path / "cgroup.events").write_text("populated 1\nfrozen 0\n")
    with pytest.raises(RootlessError, match="does not freeze"):
        box.freeze()
    assert (box.path / "cgroup.freeze").read_text() == "0"


def test_frozen(box: Cgroup) -> None:
    """The kernel says in cgroup.events when all have stopped."""
    (box.path / "cgroup.freeze").touch()
    (box.path / "cgroup.events").write_text("populated 1\nfrozen 1\n")
    box.freeze()
    assert box.is_frozen()
    assert (box.path / "cgroup.freeze").read_text() == "1"


def test_removing_what_is_no_cgroup(tmp_path: Path) -> None:
    """Files are not removed, and what will not change is not waited for."""
    (tmp_path / "file").touch()
    began = time.monotonic()
    with pytest.raises(RootlessError, match="cannot remove the cgroup: Directory not empty"):
        Cgroup(tmp_path).remove()
    assert time.monotonic() - began < 2
    assert (tmp_path / "file").exists()


def test_removing_takes_those_below(tmp_path: Path) -> None:
    """The deepest goes first."""
    (tmp_path / "box/a/b").mkdir(parents=True)
    (tmp_path / "box/c").mkdir()
    Cgroup(tmp_path / "box").remove()
    assert not (tmp_path / "box").exists()


def test_killing_without_cgroup_kill(box: Cgroup, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before Linux 5.14 each process is killed by its pidfd."""
    pid = os.fork()
    if pid == 0:
        signal.pause()
        os._exit(0)
    procs = box.path / "inner/cgroup.procs"
    procs.write_text(f"{pid}\n")
    monkeypatch.setattr(time, "sleep", lambda _: procs.write_text(""))  # as the kernel would
    box.kill()
    _, status = os.waitpid(pid, 0)
    assert os.WTERMSIG(status) == signal.SIGKILL
