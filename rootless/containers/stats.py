"""What a container uses, as `podman stats` shows it: out of two looks at its counters; pure.

The counters are the cgroup's where the container has one with the controller that counts, else
those of its processes, added up (`usage`).
"""

from dataclasses import dataclass

HEADER = (
    *("ID", "NAME", "CPU %", "MEM USAGE / LIMIT", "MEM %", "NET IO", "BLOCK IO", "PIDS"),
    *("CPU TIME", "AVG CPU %"),
)
_NOTHING = "--"
_UNITS = ("B", "kB", "MB", "GB", "TB", "PB")


@dataclass(frozen=True, slots=True)
class Usage:
    """One look; None for what nobody counts.

    Attributes:
        at: When, in seconds of a clock that only goes on.
        cpu: CPU seconds used since the container's start.
        memory: Bytes that it holds and the kernel could not drop at once.
        memory_limit: What it may have; what the host has where there is no limit.
        pids: Processes and threads.
        net_in: Bytes received by its own network.
        net_out: Bytes sent.
        block_in: Bytes read from disks.
        block_out: Bytes written.
    """

    at: float
    cpu: float
    memory: int
    memory_limit: int
    pids: int
    net_in: int | None = None
    net_out: int | None = None
    block_in: int | None = None
    block_out: int | None = None


@dataclass(frozen=True, slots=True)
class Stats:
    """What is shown of a container."""

    id: str
    name: str
    cpu_percent: float
    average_cpu_percent: float
    usage: Usage

    @property
    def memory_percent(self) -> float:
        """The memory's share of its limit."""
        limit = self.usage.memory_limit
        return 100 * self.usage.memory / limit if limit else 0.0

    def row(self) -> list[str]:
        """Return the cells of a table with `HEADER`."""
        usage = self.usage
        return [
            self.id[:12],
            self.name,
            _percent(self.cpu_percent),
            f"{_size(usage.memory)} / {_size(usage.memory_limit)}",
            _percent(self.memory_percent),
            _pair(usage.net_in, usage.net_out),
            _pair(usage.block_in, usage.block_out),
            str(usage.pids),
            f"{usage.cpu:.3f}s",
            _percent(self.average_cpu_percent),
        ]

    def to_document(self) -> dict[str, str]:
        """Return the JSON object, with podman's names and texts."""
        cells = dict(zip(HEADER, self.row(), strict=True))
        return {
            "id": cells["ID"],
            "name": cells["NAME"],
            "cpu_time": cells["CPU TIME"],
            "cpu_percent": cells["CPU %"],
            "avg_cpu": cells["AVG CPU %"],
            "mem_usage": cells["MEM USAGE / LIMIT"],
            "mem_percent": cells["MEM %"],
            "net_io": cells["NET IO"],
            "block_io": cells["BLOCK IO"],
            "pids": cells["PIDS"],
        }


def stats_of(container_id: str, name: str, before: Usage, now: Usage, age: float) -> Stats:
    """Return what two looks at a container say.

    Args:
        container_id: Its ID.
        name: Its name.
        before: The earlier look.
        now: The later one.
        age: Seconds since its start.
    """
    # processes that have ended between two looks may have taken their share along
    used = max(0.0, now.cpu - before.cpu)
    return Stats(
        container_id,
        name,
        cpu_percent=_share(used, now.at - before.at),
        average_cpu_percent=_share(now.cpu, age),
        usage=now,
    )


def _share(used: float, seconds: float) -> float:
    return 100 * used / seconds if seconds > 0 else 0.0


def _percent(value: float) -> str:
    return f"{value:.2f}%"


def _pair(into: int | None, out: int | None) -> str:
    if into is None or out is None:
        return f"{_NOTHING} / {_NOTHING}"
    return f"{_size(into)} / {_size(out)}"


def _size(number: int) -> str:
    value = float(number)
    for unit in _UNITS:
        if value < 999.5 or unit == _UNITS[-1]:
            break
        value /= 1000
    return f"{value:.4g}{unit}"
