"""A build with -q."""

import pytest

from rootless.build.events import Step
from rootless.cli.build_quiet import Quiet

_FIRST = Step(1, "", 1, 2, "RUN make", 1)
_SECOND = Step(2, "", 2, 2, "RUN make check", 3)


def test_what_goes_well_is_not_shown(capsys: pytest.CaptureFixture[str]) -> None:
    """Nor is a step that was stopped since another one failed."""
    quiet = Quiet()
    for step, end in ((_FIRST, quiet.done), (_SECOND, quiet.stopped)):
        quiet.begin(step)
        quiet.output(step, b"text\n")
        end(step, 1)
    quiet.begin(_FIRST)
    quiet.cached(_FIRST)
    quiet.close()
    assert capsys.readouterr() == ("", "")


def test_the_end_of_what_failed(capsys: pytest.CaptureFixture[str]) -> None:
    """Its last 50 lines, without what moves a terminal's cursor."""
    quiet = Quiet()
    quiet.begin(_FIRST)
    quiet.begin(_SECOND)
    quiet.output(_FIRST, b"other\n")
    for number in range(20_000):
        quiet.output(_SECOND, b"line %d\n" % number)
    quiet.output(_SECOND, b"\x1b[1mlast \xff")
    quiet.failed(_SECOND, 1)
    out, err = capsys.readouterr()
    assert out == ""
    lines = err.splitlines()
    assert (len(lines), lines[0], lines[-1]) == (50, "line 19951", "last \\xff")
