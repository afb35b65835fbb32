"""What a cgroup has used: the kernel's counters as plain numbers (cgroup-v2.rst)."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class CgroupStatistics:
    """One look at a cgroup's counters; None for what the kernel does not count there.

    CPU times and throttled time are microseconds, the rest bytes and numbers; a `…_max` of None
    is no limit as well.
    """

    cpu_usage: int | None = None
    cpu_user: int | None = None
    cpu_system: int | None = None
    cpu_periods: int | None = None
    cpu_throttled_periods: int | None = None
    cpu_throttled: int | None = None
    memory: int | None = None
    memory_max: int | None = None
    memory_peak: int | None = None
    memory_anon: int | None = None
    memory_file: int | None = None
    memory_inactive_file: int | None = None
    swap: int | None = None
    swap_max: int | None = None
    oom_kills: int | None = None
    pids: int | None = None
    pids_max: int | None = None
    io_read: int | None = None
    io_written: int | None = None
    io_reads: int | None = None
    io_writes: int | None = None


def read_statistics(cgroup: Path) -> CgroupStatistics:
    """Read the counters of a cgroup."""
    cpu = _table(cgroup / "cpu.stat")
    memory = _table(cgroup / "memory.stat")
    io = _io(cgroup / "io.stat")
    return CgroupStatistics(
        cpu_usage=cpu.get("usage_usec"),
        cpu_user=cpu.get("user_usec"),
        cpu_system=cpu.get("system_usec"),
        cpu_periods=cpu.get("nr_periods"),
        cpu_throttled_periods=cpu.get("nr_throttled"),
        cpu_throttled=cpu.get("throttled_usec"),
        memory=_number(cgroup / "memory.current"),
        memory_max=_number(cgroup / "memory.max"),
        memory_peak=_number(cgroup / "memory.peak"),
        memory_anon=memory.get("anon"),
        memory_file=memory.get("file"),
        memory_inactive_file=memory.get("inactive_file"),
        swap=_number(cgroup / "memory.swap.current"),
        swap_max=_number(cgroup / "memory.swap.max"),
        oom_kills=_table(cgroup / "memory.events").get("oom_kill"),
        pids=_number(cgroup / "pids.current"),
        pids_max=_number(cgroup / "pids.max"),
        io_read=io.get("rbytes"),
        io_written=io.get("wbytes"),
        io_reads=io.get("rios"),
        io_writes=io.get("wios"),
    )


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError:
        return ""


def _number(path: Path) -> int | None:
    text = _text(path).strip()
    return int(text) if text.isdecimal() else None


def _table(path: Path) -> dict[str, int]:
    """Return a file of lines "name number"."""
    pairs = (line.split() for line in _text(path).splitlines())
    return {pair[0]: int(pair[1]) for pair in pairs if len(pair) == 2 and pair[1].isdecimal()}


def _io(path: Path) -> dict[str, int]:
    """Return io.stat, "MAJOR:MINOR name=number …" a line, added up over the devices."""
    lines = _text(path).splitlines()
    if not lines:
        return {}
    total = dict.fromkeys(("rbytes", "wbytes", "rios", "wios"), 0)
    for line in lines:
        for word in line.split()[1:]:
            name, _, number = word.partition("=")
            if name in total and number.isdecimal():
                total[name] += int(number)
    return total
