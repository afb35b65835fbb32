"""`rootless.cli.transfers`: how far a transfer is, in lines, in JSON and in bars."""

import io
import json
import time

import pytest
from rich.console import Console
from rich.progress import Progress as RichProgress

from rootless.cli import transfers
from rootless.errors import InvalidInput
from rootless.transfer.progress import Silent, State


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Return the time that `transfers` sees, to be changed."""
    now = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    return now


def test_rate_and_time_left(clock: list[float]) -> None:
    """What was there before the transfer does not make it faster."""
    count = transfers.Count("layer", 1000, lambda _: None)
    count.enter(State.DOWNLOADING, 600)
    assert count.left_s is None
    clock[0] += 2
    count.advance(100)
    assert (count.rate, count.left_s) == (50.0, 6.0)
    count.enter(State.DONE, 1000)
    assert count.have == 1000


def test_one_without_a_size(clock: list[float]) -> None:
    """Nobody can say how long what has no known size takes."""
    count = transfers.Count("layer", None, lambda _: None)
    clock[0] += 1
    count.advance(5)
    assert count.left_s is None


def test_lines_come_now_and_then(clock: list[float]) -> None:
    """Each state is told, and in between a line only after some time."""
    told: list[tuple[str, int]] = []
    progress = transfers.Told(
        lambda count: told.append((str(count.state), count.have)), lambda _: None, 10.0
    )
    meter = progress.begin("layer", 100)
    meter.enter(State.DOWNLOADING, 0)
    for _ in range(5):
        meter.advance(1)
    clock[0] += 11
    meter.advance(1)
    meter.enter(State.DONE, 100)
    assert told == [("downloading", 0), ("downloading", 6), ("done", 100)]


@pytest.mark.parametrize(
    ("state", "line"),
    [
        (State.DOWNLOADING, "layer 0123456789ab: downloading, 500 B of 1 kB, 500 B/s, 1 s left"),
        (State.INDEXING, "layer 0123456789ab: indexing"),
        (State.DONE, "layer 0123456789ab: done, 500 B"),
    ],
)
def test_a_plain_line(
    clock: list[float], capsys: pytest.CaptureFixture[str], state: State, line: str
) -> None:
    """It has what the state has to tell."""
    count = transfers.Count("sha256:0123456789abcdef", 1000, lambda _: None)
    count.enter(state, 0)
    clock[0] += 1
    count.have = 500
    transfers._print_plain(count)
    assert capsys.readouterr().err == f"rootless: {line}\n"


def test_json(clock: list[float], capsys: pytest.CaptureFixture[str]) -> None:
    """One object a line, messages too."""
    with transfers.shown("json", quiet=False) as progress:
        progress.say("pulling \x1b[31mx")
        meter = progress.begin("sha256:ab", 10)
        meter.enter(State.DOWNLOADING, 4)
        clock[0] += 1
        meter.advance(3)
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert lines[0] == {"message": "pulling \x1b[31mx"}
    assert lines[-1] == {
        "layer": "sha256:ab",
        "state": "downloading",
        "bytes": 7,
        "total": 10,
        "rate": 3,
        "left": 1.0,
    }


def test_bars(clock: list[float]) -> None:
    """A layer that goes on begins where it was; waiting is said, and the end is the total."""
    out = io.StringIO()
    with RichProgress(console=Console(file=out), auto_refresh=False) as bars:
        progress = transfers.Bars(bars)
        progress.say("pulling\x1b[31m [b]x[/b]")
        meter = progress.begin("sha256:0123456789abcdef", 100)
        (task,) = bars.tasks
        meter.enter(State.WAITING, 10)
        meter.enter(State.WAITING, 20)
        assert (task.fields["state"], task.completed) == ("waiting", 20)
        meter.enter(State.DOWNLOADING, 40)
        clock[0] += 1
        meter.advance(5)
        assert (task.fields["state"], task.completed) == ("", 45)
        meter.advance(5)
        meter.enter(State.DONE, 100)
        assert (task.description, task.completed) == ("layer 0123456789ab", 100)
    assert "pulling?[31m [b]x[/b]" in out.getvalue()


@pytest.mark.parametrize(
    ("form", "quiet"), [("auto", False), ("none", False), ("json", True), ("plain", True)]
)
def test_nothing(form: str, *, quiet: bool) -> None:
    """Without a terminal, and where nobody wants it, nothing is shown."""
    with transfers.shown(form, quiet=quiet) as progress:
        assert isinstance(progress, Silent)


def test_another_form() -> None:
    """A form that there is not is an error that lists those that there are."""
    with (
        pytest.raises(InvalidInput, match="one of auto, plain, json, none"),
        transfers.shown("tune", quiet=False),
    ):
        pytest.fail("shown")
