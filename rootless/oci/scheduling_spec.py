"""Who gets the processor and the disk first: members of config.json's `process` (config.md)."""

from dataclasses import dataclass
from typing import Any

from rootless.oci.document import Node

POLICIES = (
    *("SCHED_OTHER", "SCHED_FIFO", "SCHED_RR", "SCHED_BATCH"),
    *("SCHED_ISO", "SCHED_IDLE", "SCHED_DEADLINE"),
)
SCHEDULER_FLAGS = (
    *("SCHED_FLAG_RESET_ON_FORK", "SCHED_FLAG_RECLAIM", "SCHED_FLAG_DL_OVERRUN"),
    *("SCHED_FLAG_KEEP_POLICY", "SCHED_FLAG_KEEP_PARAMS"),
    *("SCHED_FLAG_UTIL_CLAMP_MIN", "SCHED_FLAG_UTIL_CLAMP_MAX"),
)
IO_CLASSES = ("IOPRIO_CLASS_RT", "IOPRIO_CLASS_BE", "IOPRIO_CLASS_IDLE")
_TIMES = ("runtime", "deadline", "period")


@dataclass(frozen=True, slots=True)
class Scheduler:
    """Scheduling attributes as sched_setattr(2) has them.

    Attributes:
        runtime: Nanoseconds, as deadline and period; of SCHED_DEADLINE.
    """

    policy: str
    nice: int = 0
    priority: int = 0
    flags: tuple[str, ...] = ()
    runtime: int = 0
    deadline: int = 0
    period: int = 0

    def to_document(self) -> dict[str, Any]:
        """Return the JSON object."""
        names = ("nice", "priority", *_TIMES)
        numbers = {name: getattr(self, name) for name in names if getattr(self, name)}
        return {
            "policy": self.policy,
            **numbers,
            **({"flags": list(self.flags)} if self.flags else {}),
        }


@dataclass(frozen=True, slots=True)
class IOPriority:
    """Class and priority within it, 0 the first, as ioprio_set(2) has them."""

    kind: str
    priority: int = 0

    def to_document(self) -> dict[str, Any]:
        """Return the JSON object."""
        return {"class": self.kind, "priority": self.priority}


@dataclass(frozen=True, slots=True)
class CPUAffinity:
    """Processors of a process that is run in a container later; not of its first one.

    Attributes:
        initial: List such as "0-3,7" before it enters the container's cgroup; "" for no change.
        final: The same, once it has.
    """

    initial: str = ""
    final: str = ""

    def to_document(self) -> dict[str, str]:
        """Return the JSON object."""
        return {name: getattr(self, name) for name in ("initial", "final") if getattr(self, name)}


def parse_scheduler(process: Node) -> Scheduler | None:
    """Read `process.scheduler`; None where there is none. Raises InvalidInput."""
    node = process.get("scheduler")
    if node is None:
        return None
    numbers = {}
    for name in ("nice", "priority"):
        numbers[name] = node.within(name, -(1 << 31), (1 << 31) - 1)
    for name in _TIMES:
        numbers[name] = node.within(name, 0, (1 << 64) - 1)
    if not -20 <= numbers["nice"] <= 19:
        raise node.require("nice").fault("is not from -20 to 19")
    return Scheduler(node.require("policy").one_of(POLICIES), flags=_flags(node), **numbers)


def _flags(node: Node) -> tuple[str, ...]:
    return tuple(item.one_of(SCHEDULER_FLAGS) for item in node.members("flags"))


def parse_io_priority(process: Node) -> IOPriority | None:
    """Read `process.ioPriority`; None where there is none. Raises InvalidInput."""
    node = process.get("ioPriority")
    if node is None:
        return None
    return IOPriority(node.require("class").one_of(IO_CLASSES), node.within("priority", 0, 7))


def parse_cpu_affinity(process: Node) -> CPUAffinity | None:
    """Read `process.execCPUAffinity`; None where there is none. Raises InvalidInput."""
    node = process.get("execCPUAffinity")
    if node is None:
        return None
    for name in ("initial", "final"):
        try:
            parse_cpu_list(node.text(name))
        except ValueError:
            raise node.require(name).fault("is no list of processors, such as 0-3,7") from None
    return CPUAffinity(node.text("initial"), node.text("final"))


def parse_cpu_list(text: str) -> frozenset[int]:
    """Return the numbers of a list (cpuset(7), "List format"); raises ValueError."""
    found: set[int] = set()
    for part in filter(None, text.split(",")):
        first, dash, last = part.strip().partition("-")
        low, high = int(first), int(last) if dash else int(first)
        if not 0 <= low <= high < 1 << 16:
            raise ValueError(part)
        found.update(range(low, high + 1))
    return frozenset(found)
