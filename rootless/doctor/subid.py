"""Checks `subid` and `id-map-helpers`: more IDs than one's own inside a container.

Without them everything still runs, with a single-ID map, in which every file belongs to one user.
"""

import os
import pwd
import shutil
import stat
from dataclasses import dataclass

from rootless.doctor.attempt import attempt
from rootless.doctor.check import Check, State
from rootless.errors import RootlessError
from rootless.userns.subid import Caller, Range, parse

_USUAL = 65536


@dataclass(frozen=True, slots=True)
class Helper:
    """newuidmap or newgidmap: where it is and whether it can do its work."""

    path: str
    privileged: bool


@dataclass(frozen=True, slots=True)
class SubidFacts:
    """What was found.

    Attributes:
        user: The user's name, or his UID where he has none.
        subuids: Ranges for UIDs, as /etc/subuid or getsubids(1) has them.
        subgids: Ranges for GIDs.
        newuidmap: None where it is not on PATH.
        newgidmap: The same.
        first_free: The first ID above every range of the host's files.
        refused: What making a namespace with all of them ended with; None where it worked or
            was not tried.
    """

    user: str
    subuids: tuple[Range, ...] = ()
    subgids: tuple[Range, ...] = ()
    newuidmap: Helper | None = None
    newgidmap: Helper | None = None
    first_free: int = 100000
    refused: RootlessError | None = None


def gather(caller: Caller, *, userns_works: bool) -> SubidFacts:
    """Read the files, look at the helpers, and try them where there is a chance."""
    user = _user_name()
    names = (user, str(os.getuid()))
    refused = None
    if userns_works and caller.has_subids:
        refused = attempt(lambda: None, caller=caller, single=False)
    files = {path: _read(path) for path in ("/etc/subuid", "/etc/subgid")}
    return SubidFacts(
        user=user,
        # the caller has none where the helpers are missing: then what the files say
        subuids=caller.subuids or parse(files["/etc/subuid"], names),
        subgids=caller.subgids or parse(files["/etc/subgid"], names),
        newuidmap=_find("newuidmap"),
        newgidmap=_find("newgidmap"),
        first_free=first_free("".join(files.values())),
        refused=refused,
    )


def check_subid(facts: SubidFacts) -> Check:
    """Judge the ranges."""
    counts = tuple(sum(n for _, n in ranges) for ranges in (facts.subuids, facts.subgids))
    seen = f"{counts[0]} sub-UIDs and {counts[1]} sub-GIDs for {facts.user}"
    first, last = facts.first_free, facts.first_free + _USUAL - 1
    fix = f"as root: usermod --add-subuids {first}-{last} --add-subgids {first}-{last} {facts.user}"
    if not all(counts):
        which = "/etc/subuid" if not counts[0] else "/etc/subgid"
        return Check(
            "subid",
            State.WARNING,
            seen,
            f"{which} has no line for {facts.user}: containers get a single-ID map, in which "
            "every file shows as one user's",
            fix,
        )
    if min(counts) < _USUAL:
        return Check(
            "subid",
            State.WARNING,
            seen,
            f"images use IDs up to 65535, only {min(counts)} can be mapped; files of others show "
            "as nobody's",
            fix,
        )
    return Check("subid", State.OK, seen)


def check_helpers(facts: SubidFacts) -> Check:
    """Judge newuidmap and newgidmap."""
    name = "id-map-helpers"
    helpers = {"newuidmap": facts.newuidmap, "newgidmap": facts.newgidmap}
    seen = ", ".join(f"{tool} {h.path if h else 'missing'}" for tool, h in helpers.items())
    missing = [tool for tool, helper in helpers.items() if helper is None]
    if missing:
        cause = f"{' and '.join(missing)} not installed: sub-IDs cannot be mapped"
        return Check(name, State.WARNING, seen, cause, "as root: apt-get install uidmap")
    weak = [helper.path for helper in helpers.values() if helper and not helper.privileged]
    if weak:
        return Check(
            name,
            State.FAILED if facts.subuids else State.WARNING,
            seen,
            f"neither set-user-ID root nor with file capabilities: {' '.join(weak)}",
            f"as root: chmod u+s {' '.join(weak)}",
        )
    if facts.refused is not None:
        return Check(
            name,
            State.FAILED,
            seen,
            str(facts.refused),
            "compare /etc/subuid and /etc/subgid with the line above; until then run with "
            "--userns single",
        )
    return Check(name, State.OK, seen)


def first_free(text: str) -> int:
    """Return the first ID above all ranges in the text of subuid(5) files, at least 100000."""
    top = 100000
    for line in text.splitlines():
        fields = line.split(":")
        if len(fields) == 3 and fields[1].isdecimal() and fields[2].strip().isdecimal():
            top = max(top, int(fields[1]) + int(fields[2]))
    return top


def _find(tool: str) -> Helper | None:
    path = shutil.which(tool)
    if path is None:
        return None
    info = os.stat(path)
    set_id = bool(info.st_mode & stat.S_ISUID) and info.st_uid == 0
    try:
        capable = bool(os.getxattr(path, "security.capability"))
    except OSError:
        capable = False
    return Helper(path, set_id or capable)


def _user_name() -> str:
    # a UID without a passwd line is usual in containers

    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())


def _read(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:
        return ""
