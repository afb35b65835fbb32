"""The processes of a container: those of its PID namespace (pid_namespaces(7))."""

import os
from collections.abc import Iterator
from dataclasses import dataclass

from rootless.linux.pidfd import open_process, send_signal, start_time


@dataclass(frozen=True, slots=True)
class Described:
    """One process.

    Attributes:
        pid: As the caller sees it.
        pid_inside: As the container sees it.
        uid: Its effective UID, as the caller sees it.
        command: Its arguments; its name in brackets where they are gone.
    """

    pid: int
    pid_inside: int
    uid: int
    command: str


def described(pid: int) -> Iterator[Described]:
    """Yield the processes of a container, whose first is `pid`."""
    for other in of_container(pid):
        try:
            with open(f"/proc/{other}/status", encoding="utf-8", errors="replace") as file:
                fields = dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)
            with open(f"/proc/{other}/cmdline", "rb") as file:
                words = file.read().rstrip(b"\0").replace(b"\0", b" ")
        except (OSError, ProcessLookupError):
            continue  # it has ended
        command = words.decode(errors="replace") or f"[{fields['Name']}]"
        inside = int(fields["NSpid"].split()[-1])
        yield Described(other, inside, int(fields["Uid"].split()[1]), command)


def of_container(pid: int) -> Iterator[int]:
    """Yield the process IDs, as the caller sees them, of who shares a process's PID namespace.

    Only that process where the namespace is the caller's own.
    """
    namespace = _pid_namespace(pid)
    if namespace is None or namespace == _pid_namespace(os.getpid()):
        yield pid
        return
    for name in os.listdir("/proc"):
        if name.isdecimal() and _pid_namespace(int(name)) == namespace:
            yield int(name)


def signal_all(pid: int, pidfd: int, number: int) -> None:
    """Send a signal to every process of a container; `pid` and `pidfd` are its first one."""
    for other in of_container(pid):
        if other == pid:
            continue
        started = start_time(other)
        fd = None if started is None else open_process(other, started)
        if fd is None:
            continue
        try:
            if _pid_namespace(other) == _pid_namespace(pid):  # still of this container
                send_signal(fd, number)
        finally:
            os.close(fd)
    send_signal(pidfd, number)


def _pid_namespace(pid: int) -> str | None:
    try:
        return os.readlink(f"/proc/{pid}/ns/pid")
    except OSError:  # gone, or another user's
        return None
