"""From `linux.resources`, which speaks cgroup v1, to the files of cgroup v2; pure.

Sources: config-linux.md for the members, the kernel's cgroup-v2.rst for the files, and for the
conversions what crun and runc agree on: crun(1), "cgroup v2", and for CPU shares the curve of
opencontainers/cgroups 0.0.3, which gives v1's default (1024) v2's default (100); the straight line
of before gave 39, less than half of what a neighbour has who asked for nothing.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

from rootless.oci.resources_spec import (
    BlockIOLimits,
    CpuLimits,
    DeviceRule,
    DeviceThrottle,
    MemoryLimits,
    Resources,
)

_NO_LIMIT = "max"
_DEFAULT_PERIOD = 100_000  # the kernel's, in microseconds
_SHARES = (2, 262_144)  # MIN_SHARES and MAX_SHARES of the kernel
_IO_MAX_KEYS = {"ReadBps": "rbps", "WriteBps": "wbps", "ReadIOPS": "riops", "WriteIOPS": "wiops"}
_PARTIAL = ("r", "w")  # mknod(2) of devices is refused in a user namespace, so m says nothing


@dataclass(frozen=True, slots=True)
class Setting:
    """One write into a file of the container's cgroup.

    Attributes:
        member: What it comes from, below `linux.resources`.
        file: The file's name; its controller is what stands before the dot.
        value: What is written.
        instead: File and value where the kernel does not have `file`.
    """

    member: str
    file: str
    value: str
    instead: tuple[str, str] | None = None

    @property
    def controller(self) -> str:
        """The controller that makes the file; "" for cgroup.*, which is always there."""
        name = self.file.partition(".")[0]
        return "" if name == "cgroup" else name


def settings_of(resources: Resources) -> tuple[Setting, ...]:
    """Return the writes, in the order in which the kernel takes them; `unified` has the last."""
    return (
        *_memory(resources.memory),
        *_cpu(resources.cpu),
        *_pids(resources.pids_limit),
        *_block_io(resources.block_io),
        *(
            Setting(f"hugepageLimits {item.page_size}", f"hugetlb.{item.page_size}.max", text)
            for item in resources.hugepages
            if (text := str(item.limit))
        ),
        *_rdma(resources),
        *(Setting(f"unified {name}", name, value) for name, value in resources.unified.items()),
    )


def not_expressible(resources: Resources) -> tuple[str, ...]:
    """Return the members that ask for what cgroup v2 does not have."""
    memory, cpu, io = resources.memory, resources.cpu, resources.block_io
    asked = {
        "memory.kernel": (memory.kernel or 0) > 0,
        "memory.kernelTCP": (memory.kernel_tcp or 0) > 0,
        "memory.swappiness": memory.swappiness is not None,
        "memory.disableOOMKiller": bool(memory.disable_oom_killer),
        "cpu.realtimeRuntime": (cpu.realtime_runtime or 0) > 0,
        "cpu.realtimePeriod": (cpu.realtime_period or 0) > 0,
        "blockIO.leafWeight": bool(io.leaf_weight),
        "blockIO.weightDevice leafWeight": any(item.leaf_weight for item in io.weight_devices),
        "network.classID": bool(resources.network.class_id),
        "network.priorities": bool(resources.network.priorities),
    }
    return tuple(member for member, is_asked in asked.items() if is_asked)


def unfiltered_devices(rules: tuple[DeviceRule, ...]) -> tuple[DeviceRule, ...]:
    """Return the rules that take away what the container has.

    Only root can attach a filter for devices. None is needed to deny all and allow some: no
    device can be made, and /dev holds nothing but what was bound there. A rule that denies one
    device, or half the access to it, would need it.
    """
    return tuple(
        rule
        for rule in rules
        if (rule.access.replace("m", "") in _PARTIAL if rule.allow else not _means_all(rule))
    )


def _means_all(rule: DeviceRule) -> bool:
    numbers = (rule.major, rule.minor)
    return rule.type in ("", "a") and all(number in (None, -1) for number in numbers)


def weight_of_shares(shares: int) -> int:
    """Return cpu.weight (1..10000) for cpu.shares (2..262144)."""
    low, high = _SHARES
    if shares <= low:
        return 1
    if shares >= high:
        return 10_000
    log = math.log2(shares)
    return math.ceil(10 ** ((log * log + 125 * log) / 612 - 7 / 34))


def io_weight(weight: int) -> int:
    """Return io.weight (1..10000) for blkio.weight (10..1000)."""
    return 1 + (min(max(weight, 10), 1000) - 10) * 9999 // 990


def swap_of(limits: MemoryLimits) -> int | None:
    """Return memory.swap.max: v1's limit less that of the memory; -1 for none; None: not asked."""
    memory, swap = limits.limit, limits.swap
    if not swap:
        # as in v1: memory without a limit means swap without one too
        return -1 if memory == -1 else None
    if swap < 0 or memory is None or memory < 0:
        return swap
    return swap - memory


def _amount(value: int) -> str:
    return _NO_LIMIT if value < 0 else str(value)


def _memory(limits: MemoryLimits) -> Iterator[Setting]:
    swap = swap_of(limits)
    if swap is not None:
        yield Setting("memory.swap", "memory.swap.max", _amount(swap))
    if limits.limit:  # 0 is v1's "as it is"
        yield Setting("memory.limit", "memory.max", _amount(limits.limit))
    if limits.reservation:
        yield Setting("memory.reservation", "memory.low", _amount(limits.reservation))


def _cpu(limits: CpuLimits) -> Iterator[Setting]:
    if limits.shares:
        yield Setting("cpu.shares", "cpu.weight", str(weight_of_shares(limits.shares)))
    if limits.quota or limits.period:
        quota = _NO_LIMIT if (limits.quota or -1) < 0 else str(limits.quota)
        member = "cpu.quota" if limits.quota else "cpu.period"
        yield Setting(member, "cpu.max", f"{quota} {limits.period or _DEFAULT_PERIOD}")
    if limits.burst is not None:
        yield Setting("cpu.burst", "cpu.max.burst", str(limits.burst))
    if limits.idle is not None:
        yield Setting("cpu.idle", "cpu.idle", str(limits.idle))
    if limits.cpus:
        yield Setting("cpu.cpus", "cpuset.cpus", limits.cpus)
    if limits.mems:
        yield Setting("cpu.mems", "cpuset.mems", limits.mems)


def _pids(limit: int | None) -> Iterator[Setting]:
    if limit is not None:
        yield Setting("pids.limit", "pids.max", str(limit) if limit > 0 else _NO_LIMIT)


def _block_io(limits: BlockIOLimits) -> Iterator[Setting]:
    if limits.weight:
        other = ("io.weight", f"default {io_weight(limits.weight)}")
        yield Setting("blockIO.weight", "io.bfq.weight", str(limits.weight), other)
    for item in limits.weight_devices:
        if item.weight:
            device = f"{item.major}:{item.minor}"
            value, other = (
                f"{device} {item.weight}",
                ("io.weight", f"{device} {io_weight(item.weight)}"),
            )
            yield Setting("blockIO.weightDevice", "io.bfq.weight", value, other)
    for throttle in limits.throttles:
        yield Setting(f"blockIO.throttle{throttle.kind}Device", "io.max", _io_max(throttle))


def _io_max(throttle: DeviceThrottle) -> str:
    rate = str(throttle.rate) if throttle.rate else _NO_LIMIT  # v1: 0 takes a limit away
    return f"{throttle.major}:{throttle.minor} {_IO_MAX_KEYS[throttle.kind]}={rate}"


def _rdma(resources: Resources) -> Iterator[Setting]:
    for item in resources.rdma:
        parts = [item.device]
        if item.hca_handles is not None:
            parts.append(f"hca_handle={item.hca_handles}")
        if item.hca_objects is not None:
            parts.append(f"hca_object={item.hca_objects}")
        if len(parts) > 1:
            yield Setting(f"rdma {item.device}", "rdma.max", " ".join(parts))
