"""The processes of one `rootless run`, found through /proc by who started whom."""

import contextlib
import json
import os
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_WITHIN = 10.0


@dataclass(frozen=True, slots=True)
class Processes:
    """The process IDs of a run, as the host sees them; 0 for one that is not there (yet)."""

    command_line: int
    supervisor: int
    server: int
    init: int
    workload: int
    forwarder: int = 0

    @classmethod
    def of(cls, command_line: int) -> "Processes":
        """Look now."""
        supervisor = server = init = workload = forwarder = 0
        for pid, name in _children(command_line):
            if name == "rootless":
                supervisor = pid
            elif b"fuse.server" in _command(pid):  # a spare one
                server = pid
        if not supervisor and not server:
            return cls._through_holder(command_line)
        for pid, name in _children(supervisor):
            if name == "rootless-init":
                init = pid
            elif b"fuse.server" in _command(pid):
                server = pid
            elif _command(pid).split(b"\0")[0] in (b"pasta", b"slirp4netns"):
                forwarder = pid
        for pid, name in _children(init):
            if name != "rootless-init":
                workload = pid
        return cls(command_line, supervisor, server, init, workload, forwarder)

    @classmethod
    def _through_holder(cls, command_line: int) -> "Processes":
        """Look at what the holder's keeper has noted: it is no child of the command line."""
        for name, value in _variables(command_line):
            if name == "XDG_RUNTIME_DIR":
                for note in Path(value).glob("rootless/runs/*/state.json"):
                    with contextlib.suppress(OSError):
                        live = json.loads(note.read_bytes())
                        if live["runner"]["pid"] == command_line and live.get("workload"):
                            pids = [live[who]["pid"] for who in ("supervisor", "init", "workload")]
                            return cls(command_line, pids[0], 0, *pids[1:])
        return cls(command_line, 0, 0, 0, 0)

    @classmethod
    def when_running(cls, command_line: int, program: str) -> "Processes":
        """Wait until the workload is `program`, and look."""
        deadline = time.monotonic() + _WITHIN
        while True:
            found = cls.of(command_line)
            if found.workload and _name(found.workload) == program:
                return found
            assert time.monotonic() < deadline, f"it does not come to run {program}: {found}"
            time.sleep(0.01)


def descendants(pid: int) -> list[int]:
    """Return the processes below one, itself included."""
    found = [pid]
    for each in found:
        found.extend(child for child, _ in _children(each))
    return found


def with_word(word: str) -> list[int]:
    """Return the processes with a word in their arguments, this one and its parents apart."""
    return [pid for pid, _, _ in _all() if word.encode() in _command(pid).split(b"\0")]


def parent_of(pid: int) -> int:
    """Return a process's parent."""
    return next(parent for each, _, parent in _all() if each == pid)


def kill(pid: int) -> None:
    """Send SIGKILL, if the process is there."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def is_alive(pid: int) -> bool:
    """Tell whether a process runs; a zombie does not."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] not in "ZX"


def _children(parent: int) -> list[tuple[int, str]]:
    return [(pid, name) for pid, name, ppid in _all() if parent and ppid == parent]


def _all() -> Iterator[tuple[int, str, int]]:
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            with contextlib.suppress(OSError):
                text = Path(f"/proc/{entry}/stat").read_text()
                before, _, after = text.rpartition(")")
                yield int(entry), before.partition("(")[2], int(after.split()[1])


def _name(pid: int) -> str:
    return next((name for each, name, _ in _all() if each == pid), "")


def _variables(pid: int) -> Iterator[tuple[str, str]]:
    with contextlib.suppress(OSError):
        for variable in Path(f"/proc/{pid}/environ").read_text().split("\0"):
            yield variable.partition("=")[::2]


def _command(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""
