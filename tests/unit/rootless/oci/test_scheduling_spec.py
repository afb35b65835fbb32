"""Scheduling members of a config.json's process."""

from typing import Any

import pytest

from rootless.errors import InvalidInput
from rootless.oci.document import Node
from rootless.oci.scheduling_spec import (
    CPUAffinity,
    IOPriority,
    Scheduler,
    parse_cpu_affinity,
    parse_cpu_list,
    parse_io_priority,
    parse_scheduler,
)


def process(**members: Any) -> Node:
    """Return the `process` object of a document."""
    return Node(members, "spec", "process")


def parse_all(members: Node) -> None:
    """Read all of them."""
    for parse in (parse_scheduler, parse_io_priority, parse_cpu_affinity):
        parse(members)


def test_absent() -> None:
    """What is not there is not asked for."""
    assert parse_scheduler(process()) is None
    assert parse_io_priority(process()) is None
    assert parse_cpu_affinity(process()) is None


def test_written_and_read() -> None:
    """What is written reads back as the same."""
    scheduler = Scheduler("SCHED_DEADLINE", 1, 2, ("SCHED_FLAG_RECLAIM",), 3, 4, 5)
    assert parse_scheduler(process(scheduler=scheduler.to_document())) == scheduler
    assert Scheduler("SCHED_IDLE").to_document() == {"policy": "SCHED_IDLE"}
    priority = IOPriority("IOPRIO_CLASS_BE", 7)
    assert parse_io_priority(process(ioPriority=priority.to_document())) == priority
    affinity = CPUAffinity("0-1", "3")
    assert parse_cpu_affinity(process(execCPUAffinity=affinity.to_document())) == affinity


@pytest.mark.parametrize(
    ("text", "found"),
    [("", set()), ("0", {0}), ("0-2,7", {0, 1, 2, 7}), ("3,3-4", {3, 4}), ("1,", {1})],
)
def test_cpu_list(text: str, found: set[int]) -> None:
    """cpuset(7): numbers and ranges, separated by commas."""
    assert parse_cpu_list(text) == found


@pytest.mark.parametrize(
    ("members", "fault"),
    [
        ({"scheduler": {}}, "process.scheduler.policy is missing"),
        ({"scheduler": {"policy": "X"}}, "policy is 'X', not one of SCHED_OTHER"),
        ({"scheduler": {"policy": "SCHED_RR", "nice": 20}}, "nice is not from -20 to 19"),
        ({"scheduler": {"policy": "SCHED_RR", "period": -1}}, "period is not a number from 0"),
        ({"scheduler": {"policy": "SCHED_RR", "flags": ["x"]}}, r"flags\[0\] is 'x', not one of"),
        ({"ioPriority": {"priority": 1}}, "process.ioPriority.class is missing"),
        ({"ioPriority": {"class": "IOPRIO_CLASS_NONE"}}, "class is 'IOPRIO_CLASS_NONE', not"),
        ({"ioPriority": {"class": "IOPRIO_CLASS_RT", "priority": 8}}, "not a number from 0 to 7"),
        ({"execCPUAffinity": {"initial": "x"}}, "initial is no list of processors"),
        ({"execCPUAffinity": {"final": "3-1"}}, "final is no list of processors"),
    ],
)
def test_faults(members: dict[str, Any], fault: str) -> None:
    """Each fault is named with its place."""
    with pytest.raises(InvalidInput, match=fault):
        parse_all(process(**members))
