"""The processes of a container, found from the host (proc(5), pid_namespaces(7))."""

import contextlib
import os
from collections.abc import Iterator


def processes_of(init: int) -> tuple[int, ...]:
    """Return the host's IDs of a container's processes, by that of its PID 1, which comes first.

    Those are its descendants, and what was put into their PID namespace by an exec from outside,
    whose parent is not among them. Which namespace a process is in can be asked of one's own.
    """
    children: dict[int, list[int]] = {}
    namespaces: dict[int, str] = {}
    for pid in _all():
        with contextlib.suppress(OSError, IndexError):  # ended meanwhile
            children.setdefault(int(stat_fields(pid)[1]), []).append(pid)
            namespaces[pid] = ""
        with contextlib.suppress(OSError):
            namespaces[pid] = os.readlink(f"/proc/{pid}/ns/pid")
    if init not in namespaces:
        return ()
    found = [init]
    for pid in found:
        found.extend(children.get(pid, []))
    inside = {namespaces[pid] for pid in found} - {"", os.readlink("/proc/self/ns/pid")}
    others = {pid for pid, namespace in namespaces.items() if namespace in inside}
    return (init, *sorted(others.union(found) - {init}))


def stat_fields(pid: int) -> list[bytes]:
    """Return the fields of /proc/PID/stat from the third on."""
    with open(f"/proc/{pid}/stat", "rb") as file:
        return file.read().rpartition(b")")[2].split()


def _all() -> Iterator[int]:
    return (int(name) for name in os.listdir("/proc") if name.isdigit())
