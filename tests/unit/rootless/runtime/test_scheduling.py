"""Scheduling of the workload, set on a child of the test."""

import os
from collections.abc import Callable

import pytest

from rootless.errors import RootlessError
from rootless.linux import scheduling as system
from rootless.oci.runtime_spec import Process
from rootless.oci.scheduling_spec import IOPriority, Scheduler
from rootless.runtime import scheduling


def in_child(body: Callable[[], None], look: Callable[[], bool]) -> None:
    """Run a function in a child; it must not raise, and what it did must be seen there."""
    pid = os.fork()
    if pid == 0:
        try:
            body()
            os._exit(0 if look() else 2)
        finally:
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


def test_policy_and_nice() -> None:
    """Policy and nice value are set."""
    nice = os.nice(0) + 1
    process = Process(("x",), scheduler=Scheduler("SCHED_BATCH", nice))
    in_child(
        lambda: scheduling.apply(process),
        lambda: os.sched_getscheduler(0) == os.SCHED_BATCH and os.nice(0) == nice,
    )


def test_numbers_are_those_that_python_knows() -> None:
    """The policies have the kernel's numbers."""
    for name in ("SCHED_OTHER", "SCHED_FIFO", "SCHED_RR", "SCHED_BATCH", "SCHED_IDLE"):
        assert system.POLICIES[name] == getattr(os, name)


def test_nothing_asked_for() -> None:
    """A process without these members keeps what it has."""
    before = os.sched_getscheduler(0)
    in_child(lambda: scheduling.apply(Process(("x",))), lambda: os.sched_getscheduler(0) == before)


@pytest.mark.needs_user
def test_refused() -> None:
    """What only root may have is an error that names the member and the value."""
    fifo = Process(("x",), scheduler=Scheduler("SCHED_FIFO", priority=1))
    with pytest.raises(RootlessError, match=r"process.scheduler: .*permitted: SCHED_FIFO"):
        scheduling.apply(fifo)
    first = Process(("x",), io_priority=IOPriority("IOPRIO_CLASS_RT"))
    with pytest.raises(RootlessError, match=r"process.ioPriority: .*permitted: IOPRIO_CLASS_RT"):
        scheduling.apply(first)


def test_affinity() -> None:
    """A list of processors binds the process to them; an empty one leaves it as it is."""
    allowed = os.sched_getaffinity(0)
    one = min(allowed)
    in_child(lambda: scheduling.set_affinity(str(one)), lambda: os.sched_getaffinity(0) == {one})
    in_child(lambda: scheduling.set_affinity(""), lambda: os.sched_getaffinity(0) == allowed)
    with pytest.raises(RootlessError, match=r"process.execCPUAffinity: Invalid argument: 65535"):
        scheduling.set_affinity("65535")
