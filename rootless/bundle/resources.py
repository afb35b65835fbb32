"""The resource options of `run`, podman's by name and meaning, to `linux.resources`; pure."""

import math
import re
from dataclasses import dataclass

from rootless.bundle import parse
from rootless.errors import InvalidInput
from rootless.oci.resources_spec import BlockIOLimits, CpuLimits, MemoryLimits, Resources

_PERIOD = 100_000
_CPU_LIST = re.compile(r"[0-9]{1,5}(-[0-9]{1,5})?(,[0-9]{1,5}(-[0-9]{1,5})?)*")
_CGROUPS = ("enabled", "disabled", "no-conmon")


@dataclass(frozen=True, slots=True)
class ResourceOptions:
    """The options as they were written; "" for those that were not given."""

    memory: str = ""
    memory_swap: str = ""
    memory_reservation: str = ""
    cpus: str = ""
    cpu_shares: str = ""
    cpu_period: str = ""
    cpu_quota: str = ""
    cpuset_cpus: str = ""
    cpuset_mems: str = ""
    pids_limit: str = ""
    blkio_weight: str = ""


def resources_of(options: ResourceOptions) -> Resources:
    """Return what the options ask for; raises InvalidInput."""
    weight = _number("--blkio-weight", options.blkio_weight)
    if weight and not 10 <= weight <= 1000:
        raise InvalidInput("--blkio-weight must lie between 10 and 1000", options.blkio_weight)
    pids = _number("--pids-limit", options.pids_limit, lowest=-1)
    return Resources(
        memory=_memory(options),
        cpu=_cpu(options),
        pids_limit=-1 if pids == 0 else pids,
        block_io=BlockIOLimits(weight=weight or None),
    )


def uses_cgroup(text: str) -> bool:
    """Return whether `--cgroups` wants one; there is no conmon here that could be left out."""
    if text and text not in _CGROUPS:
        raise InvalidInput("unknown value of --cgroups", text, f"one of {', '.join(_CGROUPS)}")
    return text != "disabled"


def cgroups_path(parent: str, container_id: str) -> str:
    """Return linux.cgroupsPath for `--cgroup-parent`: a slice of systemd's, or a cgroup."""
    if not parent:
        return ""
    if ".." in parent.split("/"):
        raise InvalidInput("--cgroup-parent must not lead upwards", parent)
    if parent.endswith(".slice") and "/" not in parent:
        return f"{parent}:rootless:{container_id}"
    return f"{parent.rstrip('/')}/rootless-{container_id}"


def _memory(options: ResourceOptions) -> MemoryLimits:
    limit = _size_or_none(options.memory)
    swap: int | None = None
    if options.memory_swap == "-1":
        swap = -1
    elif options.memory_swap:
        swap = parse.size(options.memory_swap)
        if limit is None:
            raise InvalidInput("--memory-swap needs --memory", options.memory_swap)
        if swap < limit:
            raise InvalidInput(
                "--memory-swap is less than --memory",
                options.memory_swap,
                "it counts memory and swap together; -1 is no limit",
            )
    elif limit is not None:
        swap = 2 * limit  # as podman and Docker have it
    reservation = _size_or_none(options.memory_reservation)
    if limit is not None and reservation is not None and reservation > limit:
        raise InvalidInput("--memory-reservation is more than --memory", options.memory_reservation)
    return MemoryLimits(limit=limit, reservation=reservation, swap=swap)


def _cpu(options: ResourceOptions) -> CpuLimits:
    period = _number("--cpu-period", options.cpu_period)
    quota = _number("--cpu-quota", options.cpu_quota, lowest=-1)
    if options.cpus:
        if period is not None or quota is not None:
            raise InvalidInput(
                "--cpus excludes --cpu-period and --cpu-quota", options.cpus, "it sets both"
            )
        amount = _cpus(options.cpus)
        if amount:
            period, quota = _PERIOD, round(amount * _PERIOD)
    return CpuLimits(
        shares=_number("--cpu-shares", options.cpu_shares) or None,
        quota=quota or None,
        period=period or None,
        cpus=_cpu_list("--cpuset-cpus", options.cpuset_cpus),
        mems=_cpu_list("--cpuset-mems", options.cpuset_mems),
    )


def _cpus(text: str) -> float:
    """Return the number of CPUs; 0 for no limit. The kernel takes no quota below a millisecond."""
    try:
        amount = float(text)
    except ValueError:
        amount = math.nan
    if not (amount == 0 or 0.01 <= amount < 1e6):
        raise InvalidInput("not a number of CPUs", text, "such as 1.5; at least 0.01")
    return amount


def _size_or_none(text: str) -> int | None:
    return parse.size(text) if text and text != "0" else None


def _number(option: str, text: str, *, lowest: int = 0) -> int | None:
    if not text:
        return None
    if not re.fullmatch(r"-?[0-9]{1,18}", text) or int(text) < lowest:
        raise InvalidInput(f"{option} must be a whole number", text, f"from {lowest} on")
    return int(text)


def _cpu_list(option: str, text: str) -> str:
    if text and not _CPU_LIST.fullmatch(text):
        raise InvalidInput(f"{option} must be a list of numbers", text, "such as 0-3,7")
    return text
