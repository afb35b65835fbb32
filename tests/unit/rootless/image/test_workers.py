"""`rootless.image.workers`: all tasks are done, all errors come back, nobody is left over."""

import os
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest

from rootless.errors import InvalidInput, RootlessError
from rootless.image.workers import Advance, outcomes

_PARENT = """
import sys, time
from rootless.image.workers import outcomes
import os

def task(advance):
    print(os.getpid(), flush=True)
    time.sleep(60)

list(outcomes([task, task], lambda n: None))
"""


def doubled(number: int, advance: Advance) -> int:
    """Return twice the number, and say that it is through."""
    advance(number)
    return 2 * number


def test_everything_is_done() -> None:
    """More tasks than processes: each comes back once, and its bytes are told."""
    told: list[int] = []
    tasks = [partial(doubled, number) for number in range(20)]
    assert sorted(outcomes(tasks, told.append)) == [2 * number for number in range(20)]
    assert sorted(told) == list(range(20))


def test_nothing_to_do() -> None:
    """No task makes no process."""
    assert list(outcomes([], lambda _: None)) == []


def test_several_processes() -> None:
    """The work is spread over the CPUs that there are for us."""

    def which(_: Advance) -> int:
        time.sleep(0.05)
        return os.getpid()

    found = set(outcomes([which] * 8, lambda _: None))
    assert os.getpid() not in found
    assert len(found) == min(8, len(os.sched_getaffinity(0)))


def test_an_error_comes_back() -> None:
    """What a task raises is raised here, as what it is, and the others are ended."""

    def fails(_: Advance) -> int:
        raise InvalidInput("not so", "this", "do that")

    def waits(_: Advance) -> int:
        time.sleep(60)
        return 0

    with pytest.raises(InvalidInput, match=r"not so: this \(do that\)"):
        list(outcomes([fails, waits], lambda _: None))


def test_a_killed_process() -> None:
    """One that is killed, as by want of memory, is an error and no endless wait."""

    def killed(_: Advance) -> int:
        os.kill(os.getpid(), signal.SIGKILL)
        return 0

    with pytest.raises(RootlessError, match="was killed"):
        list(outcomes([killed], lambda _: None))


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_none_outlives_its_parent(how: signal.Signals, tmp_path: Path) -> None:
    """Whatever ends the parent ends the others, at once."""
    with subprocess.Popen(
        [sys.executable, "-c", _PARENT],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd=tmp_path,
    ) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        parent.send_signal(how)
    deadline = time.monotonic() + 10
    while Path(f"/proc/{pid}").exists():
        assert time.monotonic() < deadline
        time.sleep(0.01)
