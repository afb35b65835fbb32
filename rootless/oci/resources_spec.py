"""`linux.resources` of config.json: what a container's cgroup limits (config-linux.md).

The numbers are cgroup v1's, whatever the host has; `rootless.runtime.cgroup_settings` knows what
they become in v2. None, and an empty text or tuple, is "nothing asked for".
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from rootless.oci.document import Node

_THROTTLES = ("ReadBps", "WriteBps", "ReadIOPS", "WriteIOPS")
_ACCESS = frozenset("rwm")


@dataclass(frozen=True, slots=True)
class MemoryLimits:
    """`memory`: bytes, -1 is no limit; `swap` counts memory and swap together."""

    limit: int | None = None
    reservation: int | None = None
    swap: int | None = None
    kernel: int | None = None
    kernel_tcp: int | None = None
    swappiness: int | None = None
    disable_oom_killer: bool | None = None
    use_hierarchy: bool | None = None
    check_before_update: bool | None = None


@dataclass(frozen=True, slots=True)
class CpuLimits:
    """`cpu`: shares of a busy CPU, microseconds of quota in each period, CPUs and memory nodes."""

    shares: int | None = None
    quota: int | None = None
    burst: int | None = None
    period: int | None = None
    realtime_runtime: int | None = None
    realtime_period: int | None = None
    cpus: str = ""
    mems: str = ""
    idle: int | None = None


@dataclass(frozen=True, slots=True)
class DeviceWeight:
    """One of `blockIO.weightDevice`."""

    major: int
    minor: int
    weight: int | None = None
    leaf_weight: int | None = None


@dataclass(frozen=True, slots=True)
class DeviceThrottle:
    """One of `blockIO.throttle…Device`; `kind` is the member's middle: `ReadBps`."""

    kind: str
    major: int
    minor: int
    rate: int


@dataclass(frozen=True, slots=True)
class BlockIOLimits:
    """`blockIO`: weights from 10 to 1000, and rates by device."""

    weight: int | None = None
    leaf_weight: int | None = None
    weight_devices: tuple[DeviceWeight, ...] = ()
    throttles: tuple[DeviceThrottle, ...] = ()


@dataclass(frozen=True, slots=True)
class HugepageLimit:
    """One of `hugepageLimits`: a page size as the kernel writes it, `2MB`, and bytes."""

    page_size: str
    limit: int


@dataclass(frozen=True, slots=True)
class InterfacePriority:
    """One of `network.priorities`."""

    name: str
    priority: int


@dataclass(frozen=True, slots=True)
class NetworkLimits:
    """`network`: what v1's net_cls and net_prio have."""

    class_id: int | None = None
    priorities: tuple[InterfacePriority, ...] = ()


@dataclass(frozen=True, slots=True)
class RdmaLimit:
    """One of `rdma`, by the device's name."""

    device: str
    hca_handles: int | None = None
    hca_objects: int | None = None


@dataclass(frozen=True, slots=True)
class DeviceRule:
    """One of `devices`: type a, b or c ("" is all), numbers where given, access out of `rwm`."""

    allow: bool
    type: str = ""
    major: int | None = None
    minor: int | None = None
    access: str = ""


@dataclass(frozen=True, slots=True)
class Resources:
    """`linux.resources`."""

    memory: MemoryLimits = field(default_factory=MemoryLimits)
    cpu: CpuLimits = field(default_factory=CpuLimits)
    pids_limit: int | None = None
    block_io: BlockIOLimits = field(default_factory=BlockIOLimits)
    hugepages: tuple[HugepageLimit, ...] = ()
    network: NetworkLimits = field(default_factory=NetworkLimits)
    rdma: tuple[RdmaLimit, ...] = ()
    unified: Mapping[str, str] = field(default_factory=dict)
    devices: tuple[DeviceRule, ...] = ()

    def to_document(self) -> dict[str, Any]:
        """Return the JSON object; {} where nothing is asked for."""
        document: dict[str, Any] = {
            "devices": [_plain(rule) for rule in self.devices],
            "memory": _plain(self.memory),
            "cpu": _plain(self.cpu),
            "pids": {} if self.pids_limit is None else {"limit": self.pids_limit},
            "blockIO": _block_io_document(self.block_io),
            "hugepageLimits": [
                {"pageSize": item.page_size, "limit": item.limit} for item in self.hugepages
            ],
            "network": {
                **({} if self.network.class_id is None else {"classID": self.network.class_id}),
                **_listed("priorities", [_plain(item) for item in self.network.priorities]),
            },
            "rdma": {item.device: _without(_plain(item), "device") for item in self.rdma},
            "unified": dict(self.unified),
        }
        return {key: value for key, value in document.items() if value}


def parse_resources(document: Node) -> Resources:
    """Read `linux.resources`; raises InvalidInput naming the member."""
    pids = document.member("pids")
    return Resources(
        memory=_parse_memory(document.member("memory")),
        cpu=_parse_cpu(document.member("cpu")),
        pids_limit=_number(pids, "limit", lowest=-1),
        block_io=_parse_block_io(document.member("blockIO")),
        hugepages=tuple(
            HugepageLimit(_file_name(item.require("pageSize")), item.require("limit").as_size())
            for item in document.members("hugepageLimits")
        ),
        network=_parse_network(document.member("network")),
        rdma=_parse_rdma(document.member("rdma")),
        unified=_parse_unified(document.member("unified")),
        devices=tuple(_parse_rule(item) for item in document.members("devices")),
    )


def _parse_memory(node: Node) -> MemoryLimits:
    limits = MemoryLimits(
        limit=_number(node, "limit", lowest=-1),
        reservation=_number(node, "reservation", lowest=-1),
        swap=_number(node, "swap", lowest=-1),
        kernel=_number(node, "kernel", lowest=-1),
        kernel_tcp=_number(node, "kernelTCP", lowest=-1),
        swappiness=_number(node, "swappiness", lowest=0),
        disable_oom_killer=_flag(node, "disableOOMKiller"),
        use_hierarchy=_flag(node, "useHierarchy"),
        check_before_update=_flag(node, "checkBeforeUpdate"),
    )
    memory, swap = limits.limit, limits.swap
    if swap is not None and swap > 0:
        if not memory:
            raise node.require("swap").fault("needs memory.limit beside it")
        if swap < memory:
            raise node.require("swap").fault(
                "counts memory and swap together, and is less than memory.limit"
            )
    return limits


def _parse_cpu(node: Node) -> CpuLimits:
    return CpuLimits(
        shares=_number(node, "shares", lowest=0),
        quota=_number(node, "quota", lowest=-1),
        burst=_number(node, "burst", lowest=0),
        period=_number(node, "period", lowest=0),
        realtime_runtime=_number(node, "realtimeRuntime", lowest=-1),
        realtime_period=_number(node, "realtimePeriod", lowest=0),
        cpus=node.text("cpus"),
        mems=node.text("mems"),
        idle=_number(node, "idle", lowest=0),
    )


def _parse_block_io(node: Node) -> BlockIOLimits:
    return BlockIOLimits(
        weight=_number(node, "weight", lowest=0),
        leaf_weight=_number(node, "leafWeight", lowest=0),
        weight_devices=tuple(
            DeviceWeight(
                item.require("major").as_size(),
                item.require("minor").as_size(),
                _number(item, "weight", lowest=0),
                _number(item, "leafWeight", lowest=0),
            )
            for item in node.members("weightDevice")
        ),
        throttles=tuple(
            DeviceThrottle(
                kind,
                item.require("major").as_size(),
                item.require("minor").as_size(),
                item.require("rate").as_size(),
            )
            for kind in _THROTTLES
            for item in node.members(f"throttle{kind}Device")
        ),
    )


def _parse_network(node: Node) -> NetworkLimits:
    return NetworkLimits(
        _number(node, "classID", lowest=0),
        tuple(
            InterfacePriority(item.require_text("name"), item.require("priority").as_size())
            for item in node.members("priorities")
        ),
    )


def _parse_rdma(node: Node) -> tuple[RdmaLimit, ...]:
    limits = []
    for name in node.keys_of():
        item = node.require(name)
        if any(c.isspace() for c in node.key(name)):
            raise item.fault("is not a device's name")
        limits.append(
            RdmaLimit(
                name, _number(item, "hcaHandles", lowest=0), _number(item, "hcaObjects", lowest=0)
            )
        )
    return tuple(limits)


def _parse_unified(node: Node) -> dict[str, str]:
    for name in node.keys_of():
        _file_name(Node(name, node.document, node.require(name).path))
    return {name: node.require(name).as_text() for name in node.keys_of()}


def _parse_rule(node: Node) -> DeviceRule:
    if not isinstance(node.require("allow").value, bool):
        raise node.require("allow").fault("is not true or false")
    kind, access = node.text("type"), node.text("access")
    if kind not in ("", "a", "b", "c", "u", "p"):
        raise node.require("type").fault("is none of a, b, c")
    if not _ACCESS.issuperset(access):
        raise node.require("access").fault("holds letters other than r, w and m")
    return DeviceRule(
        node.flag("allow"),
        kind,
        _number(node, "major", lowest=-1),
        _number(node, "minor", lowest=-1),
        access,
    )


def _number(node: Node, key: str, *, lowest: int) -> int | None:
    found = node.get(key)
    if found is None:
        return None
    value = found.as_integer()
    if not lowest <= value < 1 << 64:
        raise found.fault(f"is not a whole number from {lowest} on")
    return value


def _flag(node: Node, key: str) -> bool | None:
    return None if node.get(key) is None else node.flag(key)


def _file_name(node: Node) -> str:
    """Return a text that becomes (part of) a file's name in the cgroup."""
    name = node.as_text()
    if not name or name.startswith(".") or any(c == "/" or c.isspace() for c in name):
        raise node.fault("is not the name of a cgroup's file")
    return name


# ── back to JSON ──────────────────────────────────────────────────────────────────────────────────

_SPELLED = {
    "kernel_tcp": "kernelTCP",
    "disable_oom_killer": "disableOOMKiller",
    "use_hierarchy": "useHierarchy",
    "check_before_update": "checkBeforeUpdate",
    "realtime_runtime": "realtimeRuntime",
    "realtime_period": "realtimePeriod",
    "leaf_weight": "leafWeight",
    "hca_handles": "hcaHandles",
    "hca_objects": "hcaObjects",
}


def _plain(item: Any) -> dict[str, Any]:
    """Return a flat dataclass as JSON has it, without what is not asked for."""
    pairs = ((each.name, getattr(item, each.name)) for each in fields(item))
    return {_SPELLED.get(name, name): value for name, value in pairs if value not in (None, "")}


def _block_io_document(limits: BlockIOLimits) -> dict[str, Any]:
    document: dict[str, Any] = {}
    if limits.weight is not None:
        document["weight"] = limits.weight
    if limits.leaf_weight is not None:
        document["leafWeight"] = limits.leaf_weight
    document |= _listed("weightDevice", [_plain(item) for item in limits.weight_devices])
    for kind in _THROTTLES:
        chosen = [_without(_plain(item), "kind") for item in limits.throttles if item.kind == kind]
        document |= _listed(f"throttle{kind}Device", chosen)
    return document


def _listed(key: str, items: list[dict[str, Any]]) -> dict[str, Any]:
    return {key: items} if items else {}


def _without(document: dict[str, Any], key: str) -> dict[str, Any]:
    return {name: value for name, value in document.items() if name != key}
