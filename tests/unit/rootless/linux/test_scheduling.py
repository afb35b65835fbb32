"""Scheduling calls reach the kernel with the right numbers."""

import errno
import os
from pathlib import Path

import pytest

from rootless.linux import scheduling


def test_what_the_kernel_says() -> None:
    """A policy and a class that are none are refused by the call that is meant."""
    with pytest.raises(OSError, match=r"Invalid argument") as caught:
        scheduling.sched_setattr(99, 0, nice=0, priority=0, times=(0, 0, 0))
    assert caught.value.errno == errno.EINVAL
    with pytest.raises(OSError, match=r"Invalid argument"):
        scheduling.ioprio_set(7, 0)


def test_in_force() -> None:
    """In a child, the personality and the flag that children start afresh can be read back."""
    pid = os.fork()
    if pid == 0:
        scheduling.set_personality(scheduling.PERSONALITIES["LINUX32"])
        flag = scheduling.FLAGS["SCHED_FLAG_RESET_ON_FORK"]
        batch = scheduling.POLICIES["SCHED_BATCH"]
        scheduling.sched_setattr(batch, flag, nice=os.nice(0), priority=0, times=(0, 0, 0))
        scheduling.ioprio_set(scheduling.IO_CLASSES["IOPRIO_CLASS_IDLE"], 0)
        same = (
            os.sched_getscheduler(0) == os.SCHED_BATCH | os.SCHED_RESET_ON_FORK
            and Path("/proc/self/personality").read_text() == "00000008\n"
        )
        os._exit(0 if same else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
