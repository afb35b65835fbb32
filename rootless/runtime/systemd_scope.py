"""A transient scope of the user's own systemd, for a container's cgroup (systemd.scope(5)).

A login session's cgroup belongs to root, but the user's service manager has a delegated tree, and
makes a scope in it for whoever asks over D-Bus (org.freedesktop.systemd1(5), StartTransientUnit).
busctl(1), which comes with systemd, does the talking: no library is needed. A scope must begin
with a process, and the container's comes later: a shell waits in it for a line, or the end, of a
pipe, whose other end is one of the cgroup's descriptors.
"""

import os
import re
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from rootless.errors import Conflict, InvalidInput, Precondition
from rootless.runtime.cgroup_tree import pids_of

DEFAULT_SLICE = "user.slice"
_UNIT = re.compile(r"[A-Za-z0-9:_.\\-]{1,200}")
_SECONDS = 10.0
_DESTINATION = (
    "org.freedesktop.systemd1",
    "/org/freedesktop/systemd1",
    "org.freedesktop.systemd1.Manager",
)


@dataclass(frozen=True, slots=True)
class ScopeName:
    """Where a scope goes: `slice:prefix:name` of cgroupsPath, as runc has it."""

    slice: str
    unit: str

    @classmethod
    def parse(cls, text: str) -> "ScopeName":
        """Read a cgroupsPath; raises InvalidInput."""
        parts = text.split(":")
        if len(parts) != 3 or not parts[2]:
            raise InvalidInput(
                "linux.cgroupsPath must have the form slice:prefix:name with --systemd-cgroup", text
            )
        folder, prefix, name = parts
        folder = folder or DEFAULT_SLICE
        unit = f"{prefix}-{name}.scope" if prefix else f"{name}.scope"
        if not folder.endswith(".slice") or not (_UNIT.fullmatch(folder) and _UNIT.fullmatch(unit)):
            raise InvalidInput("linux.cgroupsPath does not name a slice and a unit", text)
        return cls(folder, unit)


@dataclass(slots=True)
class Scope:
    """A running scope: its cgroup, the process that waits in it, and the pipe that it waits for."""

    path: Path
    pid: int
    held_fd: int


def find_bus() -> str:
    """Return the address of the user's bus; "" where there is none."""
    address = os.environ.get("DBUS_SESSION_BUS_ADDRESS", "")
    if address:
        return address
    folder = os.environ.get("XDG_RUNTIME_DIR") or f"/run/user/{os.getuid()}"
    return f"unix:path={folder}/bus" if os.path.exists(f"{folder}/bus") else ""


def start_scope(name: ScopeName, mount_point: Path) -> Scope:
    """Start a scope; raises Precondition where the user's systemd does not do it, or Conflict."""
    address = find_bus()
    if not address:
        raise Precondition(
            "the user's systemd cannot be reached: no D-Bus",
            name.unit,
            "log in anew, or as root: loginctl enable-linger USER; set XDG_RUNTIME_DIR",
            check="cgroup",
        )
    read_fd, write_fd = os.pipe2(os.O_CLOEXEC)
    try:
        pid = _start_waiting(read_fd)
        _ask(name, pid, address)
        return Scope(_wait_for_move(name, pid, mount_point), pid, write_fd)
    except BaseException:
        os.close(write_fd)
        raise
    finally:
        os.close(read_fd)


def _start_waiting(read_fd: int) -> int:
    """Start a process that waits at the pipe; nobody has to reap it."""
    script = f"(exec <&{read_fd} >/dev/null 2>&1; read line) & echo $!"
    done = subprocess.run(
        ["sh", "-c", script], pass_fds=(read_fd,), stdout=subprocess.PIPE, check=True
    )
    return int(done.stdout)


def _ask(name: ScopeName, pid: int, address: str) -> None:
    properties = (
        *("Description", "s", "rootless container"),
        *("Slice", "s", name.slice),
        *("Delegate", "b", "true"),
        *("CollectMode", "s", "inactive-or-failed"),
        *("PIDs", "au", "1", str(pid)),
    )
    call = ("StartTransientUnit", "ssa(sv)a(sa(sv))", name.unit, "fail", "5", *properties, "0")
    try:
        done = subprocess.run(
            ["busctl", "--user", "call", *_DESTINATION, *call],
            capture_output=True,
            text=True,
            env={**os.environ, "DBUS_SESSION_BUS_ADDRESS": address},
            timeout=_SECONDS,
            check=False,
        )
    except FileNotFoundError as error:
        raise Precondition(
            "busctl is not installed", name.unit, "it comes with systemd", check="cgroup"
        ) from error
    except subprocess.TimeoutExpired as error:
        raise Precondition(
            "the user's systemd does not answer", name.unit, check="cgroup"
        ) from error
    if done.returncode != 0:
        said = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        said = said.removeprefix("Call failed: ").rstrip(".")
        if "already" in said:
            raise Conflict("the scope's name is taken", name.unit, "another container has it")
        raise Precondition(f"the user's systemd refuses: {said}", name.unit, check="cgroup")


def _wait_for_move(name: ScopeName, pid: int, mount_point: Path) -> Path:
    """Wait until the process is in the scope: the answer comes when the job is only queued."""
    deadline = time.monotonic() + _SECONDS
    while True:
        try:
            text = Path(f"/proc/{pid}/cgroup").read_text(encoding="utf-8")
        except OSError:
            text = ""
        path = next((line[3:] for line in text.splitlines() if line.startswith("0::")), "")
        if path.endswith(f"/{name.unit}"):
            return _below(mount_point, path, pid)
        if time.monotonic() > deadline:
            raise Precondition("the user's systemd does not start the scope", name.unit)
        time.sleep(0.005)


def _below(mount_point: Path, path: str, pid: int) -> Path:
    """Return the scope's directory, which must be the one that holds the process."""
    parts = Path(path.lstrip("/")).parts
    for i in range(len(parts)):
        folder = mount_point.joinpath(*parts[i:])
        if folder.is_dir() and pid in pids_of(folder):
            return folder
    raise Precondition("the scope's cgroup cannot be seen from here", path, check="cgroup")
