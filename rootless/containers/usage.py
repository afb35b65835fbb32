"""One look at what a container uses: its cgroup's counters, else its processes' (proc(5))."""

import contextlib
import os
import time
from collections.abc import Iterable
from pathlib import Path

from rootless.containers.processes import processes_of, stat_fields
from rootless.containers.stats import Usage
from rootless.runtime.cgroup_statistics import CgroupStatistics, read_statistics

_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")
_MICRO = 1e-6


def look(init: int, cgroup: str = "", *, own_network: bool = False) -> Usage | None:
    """Look at a running container; None where it has ended.

    Args:
        init: The host's ID of its PID 1.
        cgroup: Its cgroup's path; "" where it has none of its own.
        own_network: It has a network namespace of its own.
    """
    pids = processes_of(init)
    if not pids:
        return None
    counted = read_statistics(Path(cgroup)) if cgroup else CgroupStatistics()
    cpu = counted.cpu_usage
    memory = counted.memory
    held = None if memory is None else max(0, memory - (counted.memory_inactive_file or 0))
    net_in, net_out = _network(init) if own_network else (None, None)
    block_in, block_out = counted.io_read, counted.io_written
    if block_in is None or block_out is None:
        block_in, block_out = _block_io(pids)
    total = _memory_of_host()
    return Usage(
        at=time.monotonic(),
        cpu=_cpu_seconds(pids) if cpu is None else cpu * _MICRO,
        memory=_memory(pids) if held is None else held,
        memory_limit=min(total, counted.memory_max or total),
        pids=_threads(pids) if counted.pids is None else counted.pids,
        net_in=net_in,
        net_out=net_out,
        block_in=block_in,
        block_out=block_out,
    )


def age_of(pid: int) -> float:
    """Return the seconds since a process was started; 0 where it has ended."""
    with contextlib.suppress(OSError, IndexError):
        started = int(stat_fields(pid)[19]) / _TICKS
        return max(0.0, time.clock_gettime(time.CLOCK_BOOTTIME) - started)
    return 0.0


def _cpu_seconds(pids: Iterable[int]) -> float:
    """Add up what they used, and their children that have ended and been waited for."""
    ticks = 0
    for pid in pids:
        with contextlib.suppress(OSError, IndexError):
            ticks += sum(int(field) for field in stat_fields(pid)[11:15])
    return ticks / _TICKS


def _memory(pids: Iterable[int]) -> int:
    return sum(_proportional(pid) for pid in pids)


def _proportional(pid: int) -> int:
    """Return a process's share of the memory it uses, or all of it where that is not told."""
    with contextlib.suppress(OSError, ValueError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="utf-8").splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    with contextlib.suppress(OSError, ValueError, IndexError):
        return int(Path(f"/proc/{pid}/statm").read_text(encoding="utf-8").split()[1]) * _PAGE
    return 0


def _threads(pids: Iterable[int]) -> int:
    count = 0
    for pid in pids:
        with contextlib.suppress(OSError, IndexError):
            count += int(stat_fields(pid)[17])
    return count


def _block_io(pids: Iterable[int]) -> tuple[int | None, int | None]:
    """Add up what they moved to and from disks; only one's own processes tell."""
    read = written = None
    for pid in pids:
        with contextlib.suppress(OSError, ValueError):
            text = Path(f"/proc/{pid}/io").read_text(encoding="utf-8")
            lines = dict(line.split(": ", 1) for line in text.splitlines())
            read = (read or 0) + int(lines["read_bytes"])
            written = (written or 0) + int(lines["write_bytes"])
    return read, written


def _network(pid: int) -> tuple[int | None, int | None]:
    """Add up the interfaces of a network namespace, without its loopback."""
    try:
        lines = Path(f"/proc/{pid}/net/dev").read_text(encoding="utf-8").splitlines()[2:]
    except OSError:
        return None, None
    counters = [
        after.split()
        for name, _, after in (line.partition(":") for line in lines)
        if name.strip() != "lo"
    ]
    return sum(int(fields[0]) for fields in counters), sum(int(fields[8]) for fields in counters)


def _memory_of_host() -> int:
    return os.sysconf("SC_PHYS_PAGES") * _PAGE
