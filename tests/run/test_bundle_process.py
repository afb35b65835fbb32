"""Members of a bundle's `process`, seen in force (runtime-spec config.md, "Process")."""

from typing import Any

import pytest
from demo_bundle import DemoBundle

pytestmark = [pytest.mark.needs_fuse, pytest.mark.needs_user]


@pytest.mark.both_users
def test_scheduler(demo_bundle: DemoBundle) -> None:
    """process.scheduler: policy, nice value and flags are the process's, and its children's."""
    demo_bundle.process(scheduler={"policy": "SCHED_BATCH", "nice": 7})
    assert "SCHED_BATCH" in demo_bundle.ok("chrt -p $$; nice")
    assert demo_bundle.ok("nice").split() == ["7"]
    demo_bundle.process(scheduler={"policy": "SCHED_IDLE", "flags": ["SCHED_FLAG_RESET_ON_FORK"]})
    assert "SCHED_IDLE|SCHED_RESET_ON_FORK" in demo_bundle.ok("chrt -p $$")


@pytest.mark.both_users
def test_io_priority(demo_bundle: DemoBundle) -> None:
    """process.ioPriority: class and priority are the process's."""
    demo_bundle.process(ioPriority={"class": "IOPRIO_CLASS_BE", "priority": 6})
    assert demo_bundle.ok("ionice -p $$") == "best-effort: prio 6\n"
    demo_bundle.process(ioPriority={"class": "IOPRIO_CLASS_IDLE"})
    assert demo_bundle.ok("ionice -p $$") == "idle\n"


@pytest.mark.parametrize(
    ("members", "says"),
    [
        (
            {"scheduler": {"policy": "SCHED_FIFO", "priority": 1}},
            "cannot set process.scheduler: Operation not permitted: SCHED_FIFO (without root",
        ),
        (
            {"scheduler": {"policy": "SCHED_BATCH", "priority": 1}},
            "cannot set process.scheduler: Invalid argument: SCHED_BATCH",
        ),
        (
            {"ioPriority": {"class": "IOPRIO_CLASS_RT", "priority": 0}},
            "cannot set process.ioPriority: Operation not permitted: IOPRIO_CLASS_RT (without",
        ),
        (
            {"selinuxLabel": "system_u:system_r:x_t:s0"},
            "process.selinuxLabel asks for a label, and SELinux is off on this host: system_u:",
        ),
    ],
)
def test_what_is_refused(demo_bundle: DemoBundle, members: dict[str, Any], says: str) -> None:
    """What an ordinary user may not have is one line that names the member."""
    demo_bundle.process(**members)
    result = demo_bundle("echo ran")
    assert (result.status, result.stdout, result.stderr.count("\n")) == (125, "", 1)
    assert says in result.stderr


def test_unknown_capability_is_logged(demo_bundle: DemoBundle) -> None:
    """config.md: a capability that cannot be mapped is a warning, and the process runs."""
    demo_bundle.process(capabilities={"bounding": ["CAP_FLY", "CAP_KILL"]})
    result = demo_bundle("grep CapBnd /proc/self/status")
    assert result.stdout.split() == ["CapBnd:", f"{1 << 5:016x}"]
    assert result.stderr.count("CAP_FLY") == 1


@pytest.mark.both_users
def test_console_size(demo_bundle: DemoBundle) -> None:
    """process.consoleSize is the size of the terminal, where the caller has none himself."""
    demo_bundle.process(terminal=True, consoleSize={"height": 33, "width": 101})
    assert demo_bundle.ok("stty size").split() == ["33", "101"]


def test_limits_that_come_twice(demo_bundle: DemoBundle) -> None:
    """config.md: duplicated rlimits are an error."""
    limit = {"type": "RLIMIT_NOFILE", "soft": 10, "hard": 10}
    demo_bundle.process(rlimits=[limit])
    assert demo_bundle.ok("ulimit -n") == "10\n"
    demo_bundle.process(rlimits=[limit, limit])
    assert "process.rlimits[1].type comes twice" in demo_bundle().stderr
