"""A build on a terminal."""

import pytest

from rootless.build.events import Step
from rootless.cli import build_screen
from rootless.cli.build_screen import Screen

_STEP = Step(2, "build", 2, 3, "RUN make", 3)


def test_what_is_quick_is_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    """Steps that are done at once are written and not drawn."""
    screen = Screen()
    screen.begin(_STEP)
    screen.tick()
    screen.cached(_STEP)
    screen.close()
    assert capsys.readouterr().err == " => [build 2/3] RUN make  CACHED\n"


def test_output_shows_while_it_runs(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its last lines are drawn, without what would move the cursor, and are gone afterwards."""
    monkeypatch.setattr(build_screen, "_PATIENCE_S", -1.0)
    screen = Screen()
    screen.begin(_STEP)
    screen.output(_STEP, b"".join(b"line %d\n" % number for number in range(20)))
    screen.output(_STEP, b"10%\r20%\n\x1b[2J\x1b[31mred\x1b[0m [not markup]\x07")
    screen.tick()
    drawn = capsys.readouterr().err
    assert "[+] Building" in drawn
    assert "line 19" in drawn
    assert "line 14" not in drawn
    assert "20%" in drawn
    assert "10%" not in drawn
    assert "red [not markup]?" in drawn
    screen.done(_STEP, 1)
    screen.close()
    assert " => [build 2/3] RUN make  1.0s" in capsys.readouterr().err


def test_a_failure_shows_all_of_it(capsys: pytest.CaptureFixture[str]) -> None:
    """The output of a step that failed stays, the part without a line end too."""
    screen = Screen()
    screen.begin(_STEP)
    screen.output(_STEP, b"".join(b"line %d\n" % number for number in range(20)) + b"rest")
    screen.failed(_STEP, 2)
    screen.close()
    written = capsys.readouterr().err.splitlines()
    assert written[0] == " => [build 2/3] RUN make  ERROR after 2.0s"
    assert written[1:] == [*(f"    line {number}" for number in range(20)), "    rest"]


def test_stopped(capsys: pytest.CaptureFixture[str]) -> None:
    """One that was stopped says so, without its output."""
    screen = Screen()
    screen.begin(_STEP)
    screen.output(_STEP, b"text\n")
    screen.stopped(_STEP, 2)
    assert capsys.readouterr().err == " => [build 2/3] RUN make  STOPPED after 2.0s\n"
