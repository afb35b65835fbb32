"""The processes of a container, seen from the host: those in the PID namespace of its PID 1."""

import contextlib
import os
import time
from collections.abc import Callable

from rootless.containers import ending
from rootless.containers import record as records
from rootless.containers.processes import processes_of, stat_fields
from rootless.containers.status import look
from rootless.paths import Paths

HEADER = ("USER", "PID", "PPID", "ELAPSED", "TIME", "COMMAND")
_TICKS = os.sysconf("SC_CLK_TCK")


def rows(word: str) -> list[list[str]]:
    """Return a row for each process; raises NotFound, Conflict where the container does not run."""
    paths = Paths.from_environment()
    record = records.find(paths, word)
    live = look(paths, record).live
    if live is None or live.init is None:
        raise ending.not_running(record)
    to_inside = record.container.maps.uid.to_inside
    found = []
    pids = processes_of(live.init.pid)
    for pid in pids[1:]:
        with contextlib.suppress(OSError, StopIteration):  # ended meanwhile
            found.append(_row(pid, pids, to_inside))
    return found


def _row(pid: int, pids: tuple[int, ...], to_inside: Callable[[int], int | None]) -> list[str]:
    fields = stat_fields(pid)
    status = _status(pid)
    inside = status["NSpid"].split()[-1]
    parent = int(fields[1])
    # one that was put there from outside has a parent that nobody inside can see
    parent_inside = _status(parent)["NSpid"].split()[-1] if parent in pids else "0"
    uid = int(status["Uid"].split()[1])
    name = to_inside(uid)
    used = (int(fields[11]) + int(fields[12])) / _TICKS
    age = max(0.0, time.clock_gettime(time.CLOCK_BOOTTIME) - int(fields[19]) / _TICKS)
    command = _command(pid) or f"[{status['Name']}]"
    user = str(uid if name is None else name)
    return [user, inside, parent_inside, _clock(age), _clock(used), command]


def _status(pid: int) -> dict[str, str]:
    with open(f"/proc/{pid}/status", encoding="utf-8", errors="replace") as file:
        pairs = (line.partition(":") for line in file)
        return {key: value.strip() for key, _, value in pairs}


def _command(pid: int) -> str:
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            return file.read().rstrip(b"\0").replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""


def _clock(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
