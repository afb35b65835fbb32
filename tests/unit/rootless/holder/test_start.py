"""What a holder is started with."""

import marshal
import os

import pytest

from rootless.holder import start


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
    start.want("/run/x", ["run"])
    assert start.is_wanted()
    start.offer(300)
    start.offer(300)
    start.want("/run/x", ["run"])
    start.offer(0)
    assert started == [("/run/x", 300)]
