"""CDI specification files: what a container gets with a device (Container Device Interface 1.0).

The vendor's tool writes them, in JSON or YAML: device nodes, mounts, variables and hooks for each
device of a kind, `vendor.com/class=name`, and for whoever has any of that kind.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from rootless.errors import InvalidInput
from rootless.oci.document import Node, parse_document
from rootless.oci.hooks_spec import Hook
from rootless.oci.runtime_spec import Mount

MAX_BYTES = 4 << 20

_VENDOR = r"[A-Za-z]([A-Za-z0-9_.-]*[A-Za-z0-9])?"
_CLASS = r"[A-Za-z]([A-Za-z0-9_-]*[A-Za-z0-9])?"
_DEVICE = r"[A-Za-z0-9]([A-Za-z0-9_.:-]*[A-Za-z0-9])?"
_KIND = re.compile(f"{_VENDOR}/{_CLASS}")
_NAME = re.compile(_DEVICE)
_QUALIFIED = re.compile(f"(?P<kind>{_VENDOR}/{_CLASS})=(?P<name>{_DEVICE})")
_VERSION = re.compile(r"v?([0-9]{1,3})\.([0-9]{1,3})(\.[0-9]{1,3})?")
_MAJOR = (0, 1)


@dataclass(frozen=True, slots=True)
class DeviceNode:
    """A node of the host's at a path inside."""

    path: str
    host_path: str


@dataclass(frozen=True, slots=True)
class ContainerEdits:
    """What is changed of a container.

    Attributes:
        env: NAME=VALUE.
        nodes: Device nodes.
        mounts: Bind mounts, for the most part libraries.
        hooks: Programs with the point at which they are to be run, "createContainer".
    """

    env: tuple[str, ...] = ()
    nodes: tuple[DeviceNode, ...] = ()
    mounts: tuple[Mount, ...] = ()
    hooks: tuple[tuple[str, Hook], ...] = ()


@dataclass(frozen=True, slots=True)
class CdiSpec:
    """One file.

    Attributes:
        kind: Vendor and class.
        edits: For whoever has any of the devices.
        devices: Edits by a device's name.
    """

    kind: str
    edits: ContainerEdits = field(default_factory=ContainerEdits)
    devices: Mapping[str, ContainerEdits] = field(default_factory=dict)


def is_qualified(text: str) -> bool:
    """Tell whether a value of `--device` names a CDI device, and not a node."""
    return _QUALIFIED.fullmatch(text) is not None


def split(text: str) -> tuple[str, str]:
    """Return kind and name of a qualified device."""
    kind, _, name = text.partition("=")
    return kind, name


def parse_cdi(data: bytes, path: str) -> CdiSpec:
    """Parse a specification file; raises InvalidInput with the place of the fault.

    Args:
        data: Its contents.
        path: Its path; what ends in .yaml or .yml is YAML.
    """
    if path.endswith((".yaml", ".yml")):
        document = Node(_yaml(data, path), path)
    else:
        document = parse_document(data, path, limit=MAX_BYTES)
    version = _VERSION.fullmatch(document.require_text("cdiVersion"))
    if version is None or int(version[1]) not in _MAJOR:
        raise document.require("cdiVersion").fault("is not a version from 0.3 to 1")
    kind = document.require_text("kind")
    if not _KIND.fullmatch(kind):
        raise document.require("kind").fault("must have the form vendor.com/class")
    devices = {}
    for device in document.members("devices"):
        name = device.require_text("name")
        if not _NAME.fullmatch(name) or name in devices:
            raise device.require("name").fault("is no name, or there twice")
        devices[name] = _edits(device.get("containerEdits"))
    return CdiSpec(kind, _edits(document.get("containerEdits")), devices)


def _yaml(data: bytes, path: str) -> Any:
    import yaml  # noqa: PLC0415 - only who has such a file pays for it

    try:
        if len(data) > MAX_BYTES:
            raise InvalidInput("the CDI specification is too large", path)
        return yaml.safe_load(data)
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        what = " ".join(str(error).split())
        raise InvalidInput("the CDI specification is not YAML", f"{path}: {what}") from error


def _edits(node: Node | None) -> ContainerEdits:
    if node is None:
        return ContainerEdits()
    return ContainerEdits(
        env=node.texts("env"),
        nodes=tuple(map(_device_node, node.members("deviceNodes"))),
        mounts=tuple(map(_mount, node.members("mounts"))),
        hooks=tuple(map(_hook, node.members("hooks"))),
    )


def _device_node(node: Node) -> DeviceNode:
    path = _absolute(node, "path")
    return DeviceNode(path, _absolute(node, "hostPath") if node.get("hostPath") else path)


def _mount(node: Node) -> Mount:
    options = node.texts("options")
    if not {"bind", "rbind"} & set(options):
        options = ("rbind", *options)
    return Mount(_absolute(node, "containerPath"), "bind", _absolute(node, "hostPath"), options)


def _hook(node: Node) -> tuple[str, Hook]:
    hook = Hook(_absolute(node, "path"), node.texts("args"), node.texts("env"))
    return node.require_text("hookName"), hook


def _absolute(node: Node, key: str) -> str:
    path = node.require_text(key)
    if not path.startswith("/"):
        raise node.require(key).fault("is not an absolute path")
    return path
