"""Sub-ID ranges of the caller: subuid(5), subgid(5), and getsubids(1) for other sources."""

import os
import pwd
import shutil
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from rootless.oci.document import HIGHEST_ID

Range = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls, and what he may map.

    Attributes:
        uid: The caller's UID on the host.
        gid: His primary GID.
        subuids: Ranges (first, length) that newuidmap(1) lets him use.
        subgids: The same for newgidmap(1).
        reason: Why the ranges are empty, "" where they are not.
    """

    uid: int
    gid: int
    subuids: tuple[Range, ...] = ()
    subgids: tuple[Range, ...] = ()
    reason: str = ""

    @classmethod
    def current(cls) -> "Caller":
        """Look up the calling process's user; a UID without a passwd line is fine."""
        uid, gid = os.getuid(), os.getgid()
        names = _names(uid)
        subuids = disjoint(ranges("/etc/subuid", names), uid)
        subgids = disjoint(ranges("/etc/subgid", names), gid)
        reason = ""
        if not subuids or not subgids:
            missing = "/etc/subuid" if not subuids else "/etc/subgid"
            reason = f"{missing} has no range for {names[0]}"
        elif shutil.which("newuidmap") is None or shutil.which("newgidmap") is None:
            reason = "newuidmap and newgidmap are not installed (Debian package uidmap)"
        if reason:
            subuids = subgids = ()
        return cls(uid, gid, subuids, subgids, reason)

    @property
    def has_subids(self) -> bool:
        """Tell whether more than the caller's own ID can be mapped."""
        return bool(self.subuids and self.subgids)


def _names(uid: int) -> tuple[str, ...]:
    """Return what the first field of a line may be: the name, or the UID as text."""
    try:
        return (pwd.getpwuid(uid).pw_name, str(uid))
    except KeyError:
        return (str(uid),)


def ranges(path: str, names: tuple[str, ...]) -> tuple[Range, ...]:
    """Return the ranges of a user; through getsubids(1) where nsswitch.conf names a source."""
    if _has_other_source():
        return _from_getsubids(names[0], groups=path.endswith("gid"))
    try:
        text = Path(path).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ()
    return parse(text, names)


def parse(text: str, names: tuple[str, ...]) -> tuple[Range, ...]:
    """Return the ranges of `names` in the text of a subuid(5) file; other lines are passed over."""
    found = []
    for line in text.splitlines():
        fields = line.strip().split(":")
        if len(fields) != 3 or fields[0] not in names:
            continue
        try:
            first, length = int(fields[1]), int(fields[2])
        except ValueError:
            continue
        if first > 0 and length > 0:
            found.append((first, length))
    return tuple(found)


def disjoint(found: Iterable[Range], own: int) -> tuple[Range, ...]:
    """Return the ranges without what an earlier one has, and without the caller's `own` ID.

    A range may stand there twice, or hold the ID of an account; the kernel maps each ID once.
    """
    taken: list[Range] = [(own, 1)]
    kept: list[Range] = []
    for first, length in found:
        pieces = [(first, min(length, HIGHEST_ID + 1 - first))]
        for low, count in taken:
            pieces = [part for piece in pieces for part in _without(piece, low, low + count)]
        kept += pieces
        taken += pieces
    return tuple(kept)


def _without(piece: Range, low: int, high: int) -> list[Range]:
    first, end = piece[0], sum(piece)
    parts = ((first, min(end, low)), (max(first, high), end))
    return [(begin, stop - begin) for begin, stop in parts if begin < stop]


def _has_other_source() -> bool:
    try:
        text = Path("/etc/nsswitch.conf").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    sources = [
        line.split(":", 1)[1].split() for line in text.splitlines() if line.startswith("subid:")
    ]
    return any(source != "files" for line in sources for source in line)


def _from_getsubids(name: str, *, groups: bool) -> tuple[Range, ...]:
    tool = shutil.which("getsubids")
    if tool is None:
        return ()
    result = subprocess.run(
        [tool, *(["-g"] if groups else []), name], capture_output=True, text=True, check=False
    )
    found = []  # a line is: position, colon, name, first, length
    for line in result.stdout.splitlines():
        words = line.split()
        if len(words) == 4 and words[2].isdecimal() and words[3].isdecimal():
            found.append((int(words[2]), int(words[3])))
    return tuple(found)
