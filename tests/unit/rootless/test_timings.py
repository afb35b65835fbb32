"""Phases in the order of time, also those of a forked process; without the option none."""

import os
import re

import pytest

from rootless import timings


def test_nothing_without_the_option(capsys: pytest.CaptureFixture[str]) -> None:
    """A mark does nothing, and there is nothing to report."""
    timings.mark("x")
    timings.report()
    assert capsys.readouterr() == ("", "")


def test_phases(capsys: pytest.CaptureFixture[str]) -> None:
    """One line a phase, and no descriptor is left."""
    before = os.listdir("/proc/self/fd")
    timings.begin()
    timings.begin()
    timings.mark("here")
    pid = os.fork()
    if pid == 0:
        timings.mark("in the child")
        os._exit(0)
    os.waitpid(pid, 0)
    timings.mark("here again")
    timings.report()
    timings.mark("too late")
    lines = capsys.readouterr().err.splitlines()
    assert lines[0].split() == ["at", "ms", "took", "ms"]
    assert [re.split(r"  +", line.strip(), maxsplit=2)[2] for line in lines[1:]] == [
        "Python has started (its CPU time)",
        "here",
        "in the child",
        "here again",
    ]
    moments = [float(line.split()[0]) for line in lines[1:]]
    assert moments == sorted(moments)
    assert len(os.listdir("/proc/self/fd")) == len(before)
