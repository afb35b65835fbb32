"""What a holder is started with."""

import marshal
import os
from pathlib import Path

import pytest

from rootless.holder import start
from rootless.linux.folder_lock import is_locked, make_locked


def test_a_request_has_the_surroundings(monkeypatch: pytest.MonkeyPatch) -> None:
    """The words, the environment and the mask travel; the mask is not changed."""
    monkeypatch.setenv("A", "b\udcff")
    before = os.umask(0o27)
    try:
        request = marshal.loads(start.request(["run", "image"]))
    finally:
        assert os.umask(before) == 0o27
    assert request["words"] == ["run", "image"]
    assert request["umask"] == 0o27
    assert request["environ"]["A"] == "b\udcff"


def test_one_is_offered_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only where one is wanted and may live is one started, and no second one."""
    started: list[tuple[str, int]] = []
    monkeypatch.setattr(
        start, "spawn", lambda runtime, _, seconds: started.append((runtime, seconds))
    )
    start.offer(300)
    start.want("/run/x/holder/y", ["run"])
    assert start.is_wanted()
    start.offer(300)
    start.offer(300)
    start.want("/run/x/holder/y", ["run"])
    start.offer(0)
    assert started == [("/run/x/holder/y", 300)]


def test_of_many_one_starts_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nobody starts a second one; what one that was killed left is taken away."""
    forked: list[bool] = []
    folder = tmp_path / "run" / "holder" / "x"

    def fork(where: str, *_: object) -> None:
        forked.append(is_locked(where) and not os.listdir(where))

    monkeypatch.setattr(start, "_fork", fork)
    folder.parent.mkdir(parents=True, mode=0o700)
    lock = make_locked(folder)
    start.spawn(str(folder), b"", 300)
    assert forked == []
    (folder / "door").touch()
    os.close(lock)  # as the kernel does for who is killed
    start.spawn(str(folder), b"", 300)
    assert forked == [True]
