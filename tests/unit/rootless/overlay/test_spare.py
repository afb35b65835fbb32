"""The one spare server of a process."""

import os
import socket

import pytest

from rootless.overlay import spare


def is_there(pid: int) -> bool:
    """Tell whether a process, or what is left of it to be reaped, is there."""
    return os.path.exists(f"/proc/{pid}")


def test_nothing_is_prepared() -> None:
    """Without one there is nothing to take, or to end."""
    assert spare.take() is None
    spare.discard()


def test_taken_once_and_ended() -> None:
    """It is there for one; who prepared it ends it, and leaves nothing to be reaped."""
    spare.prepare()
    prepared = spare.take()
    assert prepared is not None
    assert spare.take() is None
    spare._spare = prepared
    assert is_there(prepared.pid)
    before = len(os.listdir("/proc/self/fd"))
    spare.discard()
    assert not is_there(prepared.pid)
    assert len(os.listdir("/proc/self/fd")) == before - 2
    spare.discard()


def test_a_child_takes_it() -> None:
    """What a fork has taken is the parent's to reap all the same."""
    spare.prepare()
    pid = os.fork()
    if pid == 0:
        os._exit(0 if spare.take() is not None else 1)
    assert os.waitpid(pid, 0)[1] == 0
    prepared = spare._spare
    assert prepared is not None
    spare.discard()
    assert not is_there(prepared.pid)


def test_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server gets a few variables, and none of a secret."""
    monkeypatch.setenv("SECRET", "x")
    monkeypatch.setenv("TMPDIR", "/tmp")
    found = spare.environment()
    assert "SECRET" not in found
    assert found["TMPDIR"] == "/tmp"


def test_none_can_be_started(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without memory for a process there is no spare one; the mount will say why."""
    monkeypatch.setattr("sys.executable", "/nonexistent")
    spare.prepare()
    assert spare.take() is None


def test_one_that_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everybody takes it and nobody uses it up; who prepared it ends it."""
    monkeypatch.setattr(spare, "_spare", None)
    spare.prepare_for_many()
    first = spare.take()
    assert first is not None
    spare.prepare_for_many()
    assert spare.take() is first
    spare.discard()
    assert not is_there(first.pid)
    assert spare.take() is None


def test_one_of_another_process() -> None:
    """Who only asks it ends nothing, and waits for no child of his own."""
    child = os.spawnv(os.P_NOWAIT, "/bin/true", ["true"])
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with theirs:
        spare.ask(ours.detach())
        taken = spare.take()
        assert taken is not None
        assert taken is spare.take()
        spare.discard()
        assert theirs.recv(1) == b""
    assert spare.take() is None
    assert os.waitpid(child, 0) == (child, 0)
