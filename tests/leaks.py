"""What a test must not leave behind: mounts, processes, open files.

A snapshot before, one after; what came in between and does not go within a few seconds is a leak.
Processes are known by an environment variable that everything started by this session inherits, so
that several sessions, or a user's own containers, can live on one machine.
"""

import os
import re
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass

SESSION_VARIABLE = "ROOTLESS_TEST_SESSION"
_OURS = (b"fuse.server", b"rootless", b"pasta", b"slirp4netns")
_WORKER = os.environ.get("PYTEST_XDIST_WORKER", "none")
_older: set[tuple[str, int]] = set()
"""Processes that were there before this one: name and inode number of their folders in /proc."""
_OTHER_WORKERS = re.compile(rf"/popen-(?!{_WORKER}/)gw\d+/")


def begin_session() -> None:
    """Mark this process, and through it all that it starts."""
    os.environ[SESSION_VARIABLE] = uuid.uuid4().hex


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What is there at one moment; each thing as the text that a failure shows."""

    mounts: frozenset[str]
    processes: frozenset[str]
    fds: frozenset[str]

    @classmethod
    def take(cls) -> "Snapshot":
        """Look now."""
        return cls(frozenset(_mounts()), frozenset(_processes()), frozenset(_fds()))

    def since(self, before: "Snapshot") -> list[str]:
        """Return what is here and was not before."""
        return [
            *(f"mount: {line}" for line in sorted(self.mounts - before.mounts)),
            *(f"process: {line}" for line in sorted(self.processes - before.processes)),
            *(f"open file: {line}" for line in sorted(self.fds - before.fds)),
        ]


def leaked(before: Snapshot, *, within: float = 5.0) -> list[str]:
    """Return what is still left over after at most `within` seconds."""
    deadline = time.monotonic() + within
    while True:
        left = Snapshot.take().since(before)
        if not left or time.monotonic() > deadline:
            return left
        time.sleep(0.02)


def mounts_of_all_namespaces() -> set[str]:
    """Return the lines of every mount table that this user may read, ours and FUSE's only.

    For tests that ask whether a mount lives on in a namespace that some process still holds.
    """
    found: set[str] = set()
    for pid in _pids():
        try:
            with open(f"/proc/{pid}/mountinfo", encoding="utf-8", errors="surrogateescape") as file:
                found.update(line.strip() for line in file if " fuse" in line)
        except OSError:
            continue  # ended meanwhile, or another user's
    return found


def _mounts() -> Iterator[str]:
    user = f"user_id={os.getuid()}"
    with open("/proc/self/mountinfo", encoding="utf-8", errors="surrogateescape") as file:
        for line in file:
            _, _, after = line.partition(" - ")
            # other users' mounts come and go, in this namespace too, and those of tests beside us
            is_ours = user in after or after.startswith("overlay ")
            if is_ours and _OTHER_WORKERS.search(line) is None:
                yield line.strip()


def _processes() -> Iterator[str]:
    me = os.getpid()
    for pid in _younger_pids():
        if pid == me:
            continue
        try:
            parent, started = _parent_and_start(pid)
            if parent == me or _is_of_session(pid):
                text = _command(pid).decode(errors="backslashreplace") or "(zombie)"
                yield f"{pid} (started at tick {started}, parent {parent}): {text}"
        except (OSError, ValueError, IndexError):
            continue  # ended while we looked


def _younger_pids() -> Iterator[int]:
    """Yield the processes that started after this one did; most of a machine's are older.

    An older one is known again by its folder's inode number, which no later process of its ID has.
    """
    _, my_start = _parent_and_start(os.getpid())
    with os.scandir("/proc") as entries:
        for entry in entries:
            if not entry.name.isdigit() or (entry.name, entry.inode()) in _older:
                continue
            pid = int(entry.name)
            try:
                is_older = _parent_and_start(pid)[1] < my_start
            except (OSError, IndexError):
                continue  # ended while we looked
            if is_older:
                _older.add((entry.name, entry.inode()))
            else:
                yield pid


def _is_of_session(pid: int) -> bool:
    try:
        return _has_mark(pid)
    except PermissionError:
        # One that gave up its identity hides its environment; only ours count then.
        is_ours = os.stat(f"/proc/{pid}").st_uid == os.getuid()
        is_ours = is_ours and any(word in _command(pid) for word in _OURS)
        return is_ours and _descends_from_session(pid)


def _command(pid: int) -> bytes:
    return _read(f"/proc/{pid}/cmdline").replace(b"\0", b" ").strip()


def _has_mark(pid: int) -> bool:
    mark = os.environ.get(SESSION_VARIABLE, "")
    return f"{SESSION_VARIABLE}={mark}".encode() in _read(f"/proc/{pid}/environ")


def _descends_from_session(pid: int) -> bool:
    """Ask the nearest ancestor that shows its environment; an orphan counts."""
    while pid > 1:
        pid, _ = _parent_and_start(pid)
        if pid <= 1:
            return True
        try:
            return pid == os.getpid() or _has_mark(pid)
        except PermissionError:
            continue
    return True


def _parent_and_start(pid: int) -> tuple[int, int]:
    fields = _read(f"/proc/{pid}/stat").rpartition(b")")[2].split()
    return int(fields[1]), int(fields[19])


def _fds() -> Iterator[str]:
    for name in os.listdir("/proc/self/fd"):
        try:
            target = os.readlink(f"/proc/self/fd/{name}")
        except OSError:
            continue  # the listing's own
        yield f"{name} -> {target}"


def _pids() -> Iterator[int]:
    return (int(name) for name in os.listdir("/proc") if name.isdigit())


def _read(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read()
