"""Servers as forks of a process that stays."""

import os
import select
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from run_processes import parent_of

from fuse.launch import launch
from fuse.server_config import ServerConfig
from rootless.overlay import spare
from rootless.overlay.stem import Stem


@pytest.fixture
def asked() -> Iterator[Stem]:
    """One that forks a server for who asks next."""
    stem = Stem()

    def serve() -> None:
        poll = select.poll()
        poll.register(stem.end, select.POLLIN)
        if poll.poll(20_000):
            stem.serve_next()

    thread = threading.Thread(target=serve)
    thread.start()
    yield stem
    thread.join()
    stem.end.close()
    assert spare.take() is not None
    spare.forget()
    spare.forget()
    assert spare.take() is None


def test_who_wants_a_server_gets_a_fork(asked: Stem, tmp_path: Path) -> None:
    """It is nobody's child, with a name of its own, and says what it cannot mount."""
    config = ServerConfig(
        str(tmp_path), tree=str(tmp_path / "none"), log_path=str(tmp_path / "server.log")
    )
    launched = launch(config, spare=spare.take())
    pid = launched.process.pid
    assert not os.path.exists(f"/proc/{pid}") or parent_of(pid) != os.getpid()
    assert "none" in launched.read_answer()
    launched.process.wait(20)
    launched.release()
