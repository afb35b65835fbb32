"""Where this process stands in the host's cgroup v2 tree, and what of it is delegated to the user.

Sources: cgroups(7), the kernel's cgroup-v2.rst ("Delegation", "No Internal Process Constraint").
A cgroup is delegated to a user who may write its directory, `cgroup.procs` and
`cgroup.subtree_control`. cgroup v1 cannot be delegated safely, so it counts as nothing.
"""

import os
import re
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

_ESCAPE = re.compile(r"\\([0-7]{3})")
_USUAL = "/sys/fs/cgroup"
_MOUNT_ROOT, _MOUNT_POINT = 3, 4  # fields of a line of mountinfo
_MAIN_CONTROLLERS = ("cpu", "memory", "pids")

BOOT_FIX = "as root: boot with systemd.unified_cgroup_hierarchy=1 on the kernel's command line"
SCOPE_FIX = "start it with: systemd-run --user --scope -p Delegate=yes rootless run …"
ALL_CONTROLLERS_FIX = (
    "as root: systemctl edit user@.service, with the lines [Service] and Delegate=yes, and log "
    "in anew"
)


class Layout(StrEnum):
    """What the host mounts."""

    UNIFIED = "cgroup v2"
    HYBRID = "cgroup v1, with an empty cgroup v2 tree beside it"
    LEGACY = "cgroup v1"
    NONE = "no cgroup file system"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a process stands.

    Attributes:
        layout: What the host mounts.
        mount_point: Of the cgroup v2 tree; None where there is none.
        own: The process's own cgroup below it; None where it cannot be seen from here.
    """

    layout: Layout
    mount_point: Path | None = None
    own: Path | None = None


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why limits cannot be set: a clause, and what would help."""

    reason: str
    fix: str


BY_LAYOUT = {
    Layout.NONE: Refusal("no cgroup file system is mounted", "mount one on /sys/fs/cgroup"),
    Layout.LEGACY: Refusal("this host has cgroup v1, which users cannot be given", BOOT_FIX),
    Layout.HYBRID: Refusal("this host's controllers are those of cgroup v1", BOOT_FIX),
}
"""What keeps a user from limits whatever else holds, by layout."""


def find_place() -> Place:
    """Read where this process stands."""
    try:
        own = Path("/proc/self/cgroup").read_text(encoding="utf-8", errors="surrogateescape")
        mounts = Path("/proc/self/mountinfo").read_text(encoding="utf-8", errors="surrogateescape")
    except OSError:
        return Place(Layout.NONE)
    return parse_place(own, mounts)


def parse_place(cgroup: str, mountinfo: str) -> Place:
    """Return the place that /proc/PID/cgroup and /proc/PID/mountinfo describe."""
    memberships = [line.split(":", 2) for line in cgroup.splitlines() if line.count(":") >= 2]
    path = next((path for number, _, path in memberships if number == "0"), None)
    of_v1 = {name for _, names, _ in memberships for name in names.split(",") if name}
    trees: dict[Path, str] = {}
    for line in mountinfo.splitlines():
        before, _, after = line.partition(" - ")
        if after.split(" ", 1)[0] == "cgroup2":
            fields = before.split(" ")
            trees[Path(_unescape(fields[_MOUNT_POINT]))] = _unescape(fields[_MOUNT_ROOT])
    if path is None or not trees:
        return Place(Layout.LEGACY if of_v1 else Layout.NONE)
    # a controller is in one tree at a time: v1's where a v1 tree with it is mounted anywhere
    layout = Layout.HYBRID if of_v1.intersection(_MAIN_CONTROLLERS) else Layout.UNIFIED
    for mount_point in sorted(trees, key=lambda found: str(found) != _USUAL):
        root = trees[mount_point].rstrip("/")
        if (path == root or path.startswith(f"{root}/")) and "/.." not in path:
            return Place(layout, mount_point, mount_point / path[len(root) :].strip("/"))
    return Place(layout, next(iter(trees)))


def _unescape(field: str) -> str:
    """Return a field of mountinfo as it is; blanks and backslashes come as octal numbers."""
    return _ESCAPE.sub(lambda match: chr(int(match[1], 8)), field)


def read_words(path: Path) -> frozenset[str]:
    """Return the words of a cgroup file, such as the names in cgroup.controllers."""
    try:
        return frozenset(path.read_text(encoding="utf-8").split())
    except OSError:
        return frozenset()


def pids_of(cgroup: Path) -> frozenset[int]:
    """Return the processes in a cgroup itself; those of another PID namespace show as 0."""
    return frozenset(int(word) for word in read_words(cgroup / "cgroup.procs"))


def is_delegated(cgroup: Path) -> bool:
    """Tell whether this user may make cgroups in it and move processes there."""
    files = (cgroup, cgroup / "cgroup.procs", cgroup / "cgroup.subtree_control")
    return all(os.access(path, os.W_OK) for path in files)


def refusal(place: Place) -> Refusal | None:
    """Return why nothing can be made below this process's own cgroup; None where it can."""
    if place.own is not None and is_delegated(place.own):
        return None
    if place.layout in BY_LAYOUT:
        return BY_LAYOUT[place.layout]
    if place.own is None:
        return Refusal(
            "this process's cgroup lies outside of what is mounted here",
            "start the surrounding container with a cgroup namespace of its own",
        )
    if os.statvfs(place.own).f_flag & os.ST_RDONLY:
        return Refusal(
            f"{place.mount_point} is mounted read-only",
            "start the surrounding container with a writable /sys/fs/cgroup",
        )
    return Refusal(f"the cgroup {place.own} is not delegated to you", SCOPE_FIX)
