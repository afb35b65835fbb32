"""A build in lines."""

import re

import pytest

from rootless.build.events import Step
from rootless.cli.build_lines import Lines, title

_FIRST = Step(1, "", 1, 2, "FROM debian", 1)
_SECOND = Step(2, "build", 2, 2, "RUN make", 3)


def test_title() -> None:
    """A stage is named where there are several."""
    assert title(_FIRST) == "[1/2] FROM debian"
    assert title(_SECOND) == "[build 2/2] RUN make"


def test_lines(capsys: pytest.CaptureFixture[str]) -> None:
    """Each line tells its step, whole lines of output come at once, and a last one at the end."""
    lines = Lines()
    lines.begin(_FIRST)
    lines.cached(_FIRST)
    lines.begin(_SECOND)
    lines.output(_SECOND, b"one\r\ntw")
    lines.tick()
    lines.output(_SECOND, b"o\nthree \xff")
    lines.done(_SECOND, 1.25)
    lines.close()
    captured = capsys.readouterr()
    assert captured.out == ""
    assert re.sub(r"0\.\d ", "0.0 ", captured.err).splitlines() == [
        "#1 [1/2] FROM debian",
        "#1 CACHED",
        "#2 [build 2/2] RUN make",
        "#2 0.0 one",
        "#2 0.0 two",
        "#2 0.0 three \\xff",
        "#2 DONE 1.2s",
    ]


def test_a_flood_without_a_line_end(capsys: pytest.CaptureFixture[str]) -> None:
    """It comes in pieces of what can be held, and none of it is lost."""
    lines = Lines()
    lines.begin(_FIRST)
    for _ in range(100):
        lines.output(_FIRST, b"x" * 8192)
    shown = capsys.readouterr().err.splitlines()
    lines.done(_FIRST, 1.0)
    shown += capsys.readouterr().err.splitlines()
    pieces = [line.split(" ")[-1] for line in shown[1:-1]]
    assert "".join(pieces) == "x" * 819200
    assert len(pieces) > 10
    assert max(map(len, pieces)) < 80_000


def test_ends(capsys: pytest.CaptureFixture[str]) -> None:
    """A step that failed and one that was stopped say so."""
    lines = Lines()
    lines.begin(_FIRST)
    lines.begin(_SECOND)
    lines.failed(_FIRST, 2)
    lines.stopped(_SECOND, 3)
    assert capsys.readouterr().err.splitlines()[2:] == [
        "#1 ERROR after 2.0s",
        "#2 STOPPED after 3.0s",
    ]
