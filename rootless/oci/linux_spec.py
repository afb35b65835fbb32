"""The `linux` object of config.json (runtime-spec config-linux.md)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from rootless.oci.document import HIGHEST_ID, Node
from rootless.oci.linux_objects import (
    Device,
    TimeOffset,
    parse_devices,
    parse_personality,
    parse_propagation,
    parse_time_offsets,
    refuse_intel_rdt,
)
from rootless.oci.resources_spec import Resources, parse_resources
from rootless.oci.seccomp_spec import SeccompSpec, parse_seccomp

NAMESPACE_TYPES = ("pid", "network", "mount", "ipc", "uts", "user", "cgroup", "time")


@dataclass(frozen=True, slots=True)
class IDMapping:
    """One line of uid_map: container IDs from `container_id` are host IDs from `host_id`."""

    container_id: int
    host_id: int
    size: int

    def to_document(self) -> dict[str, int]:
        """Return the JSON object."""
        return {"containerID": self.container_id, "hostID": self.host_id, "size": self.size}


@dataclass(frozen=True, slots=True)
class Namespace:
    """A namespace to create, or with `path` to join."""

    type: str
    path: str = ""

    def to_document(self) -> dict[str, str]:
        """Return the JSON object."""
        return {"type": self.type, **({"path": self.path} if self.path else {})}


@dataclass(frozen=True, slots=True)
class LinuxSpec:
    """Namespaces, ID mappings, devices, and what of /proc is hidden.

    Attributes:
        personality: Execution domain, "LINUX" or "LINUX32"; "" for the caller's.
    """

    namespaces: tuple[Namespace, ...] = ()
    uid_mappings: tuple[IDMapping, ...] = ()
    gid_mappings: tuple[IDMapping, ...] = ()
    masked_paths: tuple[str, ...] = ()
    readonly_paths: tuple[str, ...] = ()
    sysctl: Mapping[str, str] = field(default_factory=dict)
    resources: Resources = field(default_factory=Resources)
    cgroups_path: str = ""
    seccomp: SeccompSpec | None = None
    time_offsets: Mapping[str, TimeOffset] = field(default_factory=dict)
    devices: tuple[Device, ...] = ()
    rootfs_propagation: str = ""
    personality: str = ""
    mount_label: str = ""

    def namespace(self, kind: str) -> Namespace | None:
        """Return the namespace of a type, None where the host's is shared."""
        return next((found for found in self.namespaces if found.type == kind), None)

    def to_document(self) -> dict[str, Any]:
        """Return the JSON object."""
        document: dict[str, Any] = {
            "namespaces": [namespace.to_document() for namespace in self.namespaces],
            "maskedPaths": list(self.masked_paths),
            "readonlyPaths": list(self.readonly_paths),
        }
        if self.uid_mappings:
            document["uidMappings"] = [mapping.to_document() for mapping in self.uid_mappings]
        if self.gid_mappings:
            document["gidMappings"] = [mapping.to_document() for mapping in self.gid_mappings]
        if self.sysctl:
            document["sysctl"] = dict(self.sysctl)
        if resources := self.resources.to_document():
            document["resources"] = resources
        if self.cgroups_path:
            document["cgroupsPath"] = self.cgroups_path
        if self.seccomp is not None:
            document["seccomp"] = self.seccomp.to_document()
        document |= self._smaller_members()
        return document

    def _smaller_members(self) -> dict[str, Any]:
        offsets = {clock: offset.to_document() for clock, offset in self.time_offsets.items()}
        members = {
            "timeOffsets": offsets,
            "devices": [device.to_document() for device in self.devices],
            "rootfsPropagation": self.rootfs_propagation,
            "personality": {"domain": self.personality} if self.personality else {},
            "mountLabel": self.mount_label,
        }
        return {name: value for name, value in members.items() if value}


def parse_linux_spec(document: Node) -> LinuxSpec:
    """Read the `linux` object; raises InvalidInput naming the member."""
    refuse_intel_rdt(document)
    return LinuxSpec(
        namespaces=tuple(_parse_namespaces(document)),
        uid_mappings=parse_mappings(document, "uidMappings"),
        gid_mappings=parse_mappings(document, "gidMappings"),
        masked_paths=_absolute_paths(document, "maskedPaths"),
        readonly_paths=_absolute_paths(document, "readonlyPaths"),
        sysctl=document.mapping("sysctl"),
        resources=parse_resources(document.member("resources")),
        cgroups_path=_parse_cgroups_path(document),
        seccomp=_parse_seccomp(document),
        time_offsets=parse_time_offsets(document),
        devices=parse_devices(document),
        rootfs_propagation=parse_propagation(document),
        personality=parse_personality(document),
        mount_label=document.text("mountLabel"),
    )


def _parse_cgroups_path(document: Node) -> str:
    path = document.text("cgroupsPath")
    if ".." in path.split("/"):
        raise document.require("cgroupsPath").fault("must not lead upwards")
    return path


def _parse_seccomp(document: Node) -> SeccompSpec | None:
    found = document.get("seccomp")
    return None if found is None else parse_seccomp(found)


def _parse_namespaces(document: Node) -> list[Namespace]:
    namespaces: list[Namespace] = []
    for item in document.members("namespaces"):
        kind = item.require("type").one_of(NAMESPACE_TYPES)
        path = item.text("path")
        if path and not path.startswith("/"):
            raise item.require("path").fault("must be an absolute path")
        if any(known.type == kind for known in namespaces):
            raise item.require("type").fault(f"comes twice: {kind!r}")
        namespaces.append(Namespace(kind, path))
    return namespaces


def parse_mappings(document: Node, key: str) -> tuple[IDMapping, ...]:
    """Read an array of ID mappings; raises InvalidInput naming the member."""
    mappings = []
    for item in document.members(key):
        inside, outside = item.require("containerID").as_id(), item.require("hostID").as_id()
        size = item.number("size")
        if not 1 <= size <= HIGHEST_ID + 1 - max(inside, outside):
            raise item.require("size").fault("is not a number of IDs that there are")
        mappings.append(IDMapping(inside, outside, size))
    return tuple(mappings)


def _absolute_paths(document: Node, key: str) -> tuple[str, ...]:
    for node in document.members(key):
        if not node.as_text().startswith("/"):
            raise node.fault("is not an absolute path")
    return document.texts(key)
