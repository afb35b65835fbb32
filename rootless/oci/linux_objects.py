"""Smaller objects of config.json's `linux` object (runtime-spec config-linux.md)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rootless.oci.document import Node

PROPAGATIONS = ("private", "shared", "slave", "unbindable")
_CLOCKS = ("monotonic", "boottime")
_INTEL_RDT = {"closID": str, "l3CacheSchema": str, "memBwSchema": str}


@dataclass(frozen=True, slots=True)
class Device:
    """A device node, or a FIFO.

    Attributes:
        type: "c", "u" (the same), "b" or "p".
        mode: Permissions; None for the default.
        uid: Owner as the container sees it; None for the default. So is `gid`.
    """

    path: str
    type: str
    major: int = 0
    minor: int = 0
    mode: int | None = None
    uid: int | None = None
    gid: int | None = None

    def to_document(self) -> dict[str, Any]:
        """Return the JSON object."""
        document: dict[str, Any] = {"path": self.path, "type": self.type}
        if self.type != "p":
            document |= {"major": self.major, "minor": self.minor}
        optional = {"fileMode": self.mode, "uid": self.uid, "gid": self.gid}
        return document | {name: value for name, value in optional.items() if value is not None}


@dataclass(frozen=True, slots=True)
class TimeOffset:
    """How far a clock of the time namespace is ahead of the host's."""

    seconds: int = 0
    nanoseconds: int = 0

    def to_document(self) -> dict[str, int]:
        """Return the JSON object."""
        return {"secs": self.seconds, "nanosecs": self.nanoseconds}


def parse_devices(linux: Node) -> tuple[Device, ...]:
    """Read `linux.devices`; raises InvalidInput naming the member."""
    return tuple(_parse_device(item) for item in linux.members("devices"))


def _parse_device(item: Node) -> Device:
    kind = item.require("type").one_of(("c", "u", "b", "p"))
    path = item.require_text("path")
    if not path.startswith("/"):
        raise item.require("path").fault("must be an absolute path")
    major, minor = (item.within(name, 0, (1 << 32) - 1) for name in ("major", "minor"))
    if kind != "p":
        for name in ("major", "minor"):
            item.require(name)
    mode = item.get("fileMode")
    if mode is not None and not 0 <= mode.as_integer() <= 0o777:
        raise mode.fault("is not the permissions of a file")
    uid, gid = (None if (node := item.get(key)) is None else node.as_id() for key in ("uid", "gid"))
    return Device(path, kind, major, minor, None if mode is None else mode.as_integer(), uid, gid)


def parse_time_offsets(linux: Node) -> Mapping[str, TimeOffset]:
    """Read `linux.timeOffsets`: by clock, "monotonic" or "boottime"; raises InvalidInput."""
    node = linux.member("timeOffsets")
    found = {}
    for clock in node.keys_of():
        offset = node.require(clock)
        if clock not in _CLOCKS:
            raise offset.fault("is no clock that has an offset: monotonic and boottime have")
        seconds = offset.within("secs", -(1 << 63), (1 << 63) - 1)
        found[clock] = TimeOffset(seconds, offset.within("nanosecs", 0, 999_999_999))
    return found


def parse_personality(linux: Node) -> str:
    """Return `linux.personality.domain`, "" where it is not asked for; raises InvalidInput."""
    node = linux.get("personality")
    if node is None:
        return ""
    for flag in node.members("flags"):
        flag.as_text()
        raise flag.fault("is no flag: config-linux.md has none yet")
    return node.require("domain").one_of(("LINUX", "LINUX32"))


def parse_propagation(linux: Node) -> str:
    """Return `linux.rootfsPropagation`, "" where it is not said; raises InvalidInput."""
    node = linux.get("rootfsPropagation")
    if node is None:
        return ""
    return node.one_of((*PROPAGATIONS, *(f"r{name}" for name in PROPAGATIONS)))


def refuse_intel_rdt(linux: Node) -> None:
    """Raise InvalidInput for `linux.intelRdt`, unless it asks for nothing."""
    node = linux.member("intelRdt")
    for name in node.keys_of():
        if name in _INTEL_RDT:
            node.text(name)
        elif name.startswith("enable"):
            node.flag(name)
        if node.require(name).value:
            raise node.require(name).fault("cannot be had: only root can write to /sys/fs/resctrl")
