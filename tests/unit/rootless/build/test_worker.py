"""Processes that build."""

import os
import time
from contextlib import suppress
from pathlib import Path

import pytest

from rootless.build.worker import Teller, Worker
from rootless.errors import InvalidInput, RootlessError
from rootless.linux.channel import Message


def _all_of(worker: Worker) -> list[Message]:
    found = []
    while (message := worker.receive()) is not None:
        found.append(message)
    return found


def test_tells_what_happens() -> None:
    """What it tells arrives in order, then its end."""

    def work(tell: Teller) -> None:
        tell({"begin": 1})
        tell({"done": 1})

    assert _all_of(Worker(work)) == [{"begin": 1}, {"done": 1}]


def test_output_of_any_bytes_and_length() -> None:
    """Output goes in pieces that a message can hold, each byte as it was."""
    data = bytes(range(256)) * 400

    def work(tell: Teller) -> None:
        tell({"output": data, "step": 3})

    messages = _all_of(Worker(work))
    assert len(messages) > 1
    assert {message["step"] for message in messages} == {3}
    assert b"".join(message["output"].encode("latin-1") for message in messages) == data


def test_errors_are_raised_here() -> None:
    """An error there is raised where its words are read, with its class."""

    def work(tell: Teller) -> None:
        tell({"begin": 1})
        raise InvalidInput("wrong", "this", "do that")

    worker = Worker(work)
    assert worker.receive() == {"begin": 1}
    with pytest.raises(InvalidInput, match=r"wrong: this \(do that\)"):
        worker.receive()


def test_one_that_is_killed() -> None:
    """A worker that ends without a word is an error, not an end."""

    def work(tell: Teller) -> None:
        os._exit(7)

    with pytest.raises(RootlessError, match="status 7"):
        Worker(work).receive()


def test_stopped_with_its_clean_up(tmp_path: Path) -> None:
    """One that is told to end does so by its clean-up, though nobody reads what it tells."""
    mark = tmp_path / "cleaned"

    def work(tell: Teller) -> None:
        try:
            while True:
                tell({"output": b"x" * 8000})
        finally:
            with suppress(RootlessError):
                tell({"output": b"late"})
            mark.touch()

    workers = [Worker(work), Worker(work)]
    assert workers[0].receive() is not None
    Worker.stop(workers)
    assert mark.exists()


def test_stopped_by_force(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that does not end in time is killed."""
    monkeypatch.setattr("rootless.build.worker._PATIENCE_S", 0.2)

    def work(tell: Teller) -> None:
        tell({"begin": 1})
        while True:
            with suppress(RootlessError):
                time.sleep(60)

    worker = Worker(work)
    worker.receive()
    Worker.stop([worker])
    with pytest.raises((RootlessError, OSError)):
        worker.receive()


def test_stopped_when_done() -> None:
    """One that has ended by itself needs no telling."""

    def work(tell: Teller) -> None:
        del tell

    worker = Worker(work)
    assert worker.receive() is None
    Worker.stop([worker])
