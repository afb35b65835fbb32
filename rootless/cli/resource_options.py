"""The options of `run` that limit what a container uses, as types for the command's signature."""

from typing import Annotated

from rootless.cli.option_groups import flag, option

_GROUP = "Resources"


def _text(*names: str, metavar: str, help_: str) -> object:
    return option(*names, group=_GROUP, metavar=metavar, help_=help_)


Memory = Annotated[str, _text("--memory", "-m", metavar="SIZE", help_="At most so much memory.")]
MemorySwap = Annotated[
    str,
    _text(
        "--memory-swap",
        metavar="SIZE",
        help_="Memory and swap together; else twice the memory; -1 for no limit.",
    ),
]
MemoryReservation = Annotated[
    str,
    _text(
        "--memory-reservation", metavar="SIZE", help_="Memory that is left to it when it is scarce."
    ),
]
Cpus = Annotated[str, _text("--cpus", metavar="NUMBER", help_="At most so many CPUs: 1.5.")]
CpuShares = Annotated[
    str, _text("--cpu-shares", "-c", metavar="N", help_="Share of a busy CPU; else 1024.")
]
CpuPeriod = Annotated[
    str, _text("--cpu-period", metavar="MICROSECONDS", help_="Period of --cpu-quota.")
]
CpuQuota = Annotated[
    str, _text("--cpu-quota", metavar="MICROSECONDS", help_="CPU time in each period.")
]
CpusetCpus = Annotated[str, _text("--cpuset-cpus", metavar="LIST", help_="Only these CPUs: 0-3,7.")]
CpusetMems = Annotated[
    str, _text("--cpuset-mems", metavar="LIST", help_="Only these memory nodes.")
]
PidsLimit = Annotated[
    str, _text("--pids-limit", metavar="N", help_="At most so many processes and threads.")
]
BlkioWeight = Annotated[
    str, _text("--blkio-weight", metavar="N", help_="Share of a busy disk, 10 to 1000.")
]
Cgroups = Annotated[
    str,
    _text("--cgroups", metavar="enabled|disabled", help_="Whether it gets a cgroup of its own."),
]
CgroupParent = Annotated[
    str,
    _text("--cgroup-parent", metavar="PATH|SLICE", help_="Where that cgroup goes."),
]
StrictResources = Annotated[
    bool,
    flag("--strict-resources", group=_GROUP, help_="Fail where a limit cannot be set."),
]
