"""The `linux` object of config.json (runtime-spec config-linux.md), as far as `run` applies it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from rootless.oci.document import Node
from rootless.oci.resources_spec import Resources, parse_resources

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
    """Namespaces, ID mappings and what of /proc is hidden.

    Attributes:
        not_applied: Members of the document that ask for something that this version does not
            do; the caller says so.
    """

    namespaces: tuple[Namespace, ...] = ()
    uid_mappings: tuple[IDMapping, ...] = ()
    gid_mappings: tuple[IDMapping, ...] = ()
    masked_paths: tuple[str, ...] = ()
    readonly_paths: tuple[str, ...] = ()
    sysctl: Mapping[str, str] = field(default_factory=dict)
    resources: Resources = field(default_factory=Resources)
    cgroups_path: str = ""
    not_applied: tuple[str, ...] = ()

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
        return document


def parse_linux_spec(document: Node) -> LinuxSpec:
    """Read the `linux` object; raises InvalidInput naming the member."""
    return LinuxSpec(
        namespaces=tuple(_parse_namespaces(document)),
        uid_mappings=_parse_mappings(document, "uidMappings"),
        gid_mappings=_parse_mappings(document, "gidMappings"),
        masked_paths=_absolute_paths(document, "maskedPaths"),
        readonly_paths=_absolute_paths(document, "readonlyPaths"),
        sysctl=document.mapping("sysctl"),
        resources=parse_resources(document.member("resources")),
        cgroups_path=_parse_cgroups_path(document),
        not_applied=tuple(
            f"linux.{key}"
            for key in (*("seccomp", "devices", "intelRdt", "personality", "timeOffsets"),)
            if document.value.get(key)
        ),
    )


def _parse_cgroups_path(document: Node) -> str:
    path = document.text("cgroupsPath")
    if ".." in path.split("/"):
        raise document.require("cgroupsPath").fault("must not lead upwards")
    return path


def _parse_namespaces(document: Node) -> list[Namespace]:
    namespaces: list[Namespace] = []
    for item in document.members("namespaces"):
        kind = item.require_text("type")
        if kind not in NAMESPACE_TYPES:
            raise item.require("type").fault(f"is no namespace: {kind!r}")
        if any(known.type == kind for known in namespaces):
            raise item.require("type").fault(f"comes twice: {kind!r}")
        namespaces.append(Namespace(kind, item.text("path")))
    return namespaces


def _parse_mappings(document: Node, key: str) -> tuple[IDMapping, ...]:
    mappings = []
    for item in document.members(key):
        mapping = IDMapping(item.number("containerID"), item.number("hostID"), item.number("size"))
        if min(mapping.container_id, mapping.host_id) < 0 or mapping.size < 1:
            raise item.require("size").fault("and the IDs beside it must not be negative")
        mappings.append(mapping)
    return tuple(mappings)


def _absolute_paths(document: Node, key: str) -> tuple[str, ...]:
    for node in document.members(key):
        if not node.as_text().startswith("/"):
            raise node.fault("is not an absolute path")
    return document.texts(key)
