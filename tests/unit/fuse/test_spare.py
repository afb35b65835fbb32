"""A server that waits for its config ends by itself, and serves as any other when it is told."""

import os
import select
import signal
import subprocess
from pathlib import Path

import pytest

from fuse.launch import launch
from fuse.server_config import ServerConfig
from fuse.spare import Spare, Stem

WITHIN_MS = 20_000


@pytest.fixture
def spare() -> Spare:
    """One that starts."""
    return Spare({"PATH": os.environ["PATH"]})


def ended(pid: int) -> int:
    """Wait for the end of a child and return its status."""
    pidfd = os.pidfd_open(pid)
    poll = select.poll()
    poll.register(pidfd, select.POLLIN)
    assert poll.poll(WITHIN_MS), "it lives on"
    os.close(pidfd)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def test_nobody_wants_it(spare: Spare) -> None:
    """Without a config it ends when the socket does, and closing twice is closing once."""
    spare.close()
    spare.close()
    assert ended(spare.pid) == 0


def test_what_it_cannot_mount_it_says(spare: Spare, tmp_path: Path) -> None:
    """What keeps it from mounting comes on the ready descriptor; no descriptor of ours is lost."""
    before = len(os.listdir("/proc/self/fd"))
    config = ServerConfig(
        str(tmp_path), tree=str(tmp_path / "none"), log_path=str(tmp_path / "server.log")
    )
    launched = launch(config, spare=spare)
    assert launched.process.pid == spare.pid
    assert "none" in launched.read_answer()
    assert launched.process.wait(WITHIN_MS / 1000) == 1
    launched.process.kill()
    launched.release()
    ended(spare.pid)
    assert len(os.listdir("/proc/self/fd")) == before - 2


def test_one_that_has_ended(spare: Spare, tmp_path: Path) -> None:
    """Where it was killed meanwhile, another server is started in its place."""
    os.kill(spare.pid, signal.SIGKILL)
    ended(spare.pid)
    launched = launch(ServerConfig(str(tmp_path), tree=str(tmp_path / "none")), spare=spare)
    assert launched.process.pid != spare.pid
    assert "none" in launched.read_answer()
    launched.release()
    launched.process.wait(WITHIN_MS / 1000)


def test_kept_waiting(spare: Spare, tmp_path: Path) -> None:
    """Waiting for its end has a limit, as subprocess has it, and it can be ended by force."""
    adopted = spare.serve(ServerConfig(str(tmp_path), tree=str(tmp_path)))
    assert adopted is not None
    with pytest.raises(subprocess.TimeoutExpired):
        adopted.wait(0)
    adopted.kill()
    assert adopted.wait(WITHIN_MS / 1000) == 1
    ended(spare.pid)


def test_one_that_stays(tmp_path: Path) -> None:
    """It forks a server for each config, which says what it cannot mount, and ends with us."""
    stem = Stem({"PATH": os.environ["PATH"]})
    for number in range(2):
        tree = str(tmp_path / f"none-{number}")
        launched = launch(ServerConfig(str(tmp_path), tree=tree), spare=stem)
        assert launched.process.pid != stem.pid
        assert f"none-{number}" in launched.read_answer()
        assert launched.process.wait(WITHIN_MS / 1000) == 1
        launched.release()
    stem.close()
    assert ended(stem.pid) == 0
    assert stem.serve(ServerConfig(str(tmp_path))) is None


def test_one_that_stayed_and_has_ended(tmp_path: Path) -> None:
    """Where it was killed, servers are started without it."""
    stem = Stem({"PATH": os.environ["PATH"]})
    os.kill(stem.pid, signal.SIGKILL)
    ended(stem.pid)
    assert stem.serve(ServerConfig(str(tmp_path))) is None
    stem.close()
