"""config.json: what a bundle asks a runtime for (runtime-spec config.md, version 1.0 and later)."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from rootless.oci.document import Node, parse_document
from rootless.oci.hooks_spec import Hooks, parse_hooks
from rootless.oci.linux_spec import IDMapping, LinuxSpec, parse_linux_spec, parse_mappings
from rootless.oci.scheduling_spec import (
    CPUAffinity,
    IOPriority,
    Scheduler,
    parse_cpu_affinity,
    parse_io_priority,
    parse_scheduler,
)

OCI_VERSION = "1.0.2"
_VERSION = re.compile(r"1\.[0-9]+(\.[0-9]+)?([-+][0-9A-Za-z.+-]+)?")
_NO_LIMIT = (1 << 64) - 1  # RLIM_INFINITY: config.json has unsigned numbers
RLIMITS = tuple(
    f"RLIMIT_{name}"
    for name in (
        *("AS", "CORE", "CPU", "DATA", "FSIZE", "LOCKS", "MEMLOCK", "MSGQUEUE", "NICE"),
        *("NOFILE", "NPROC", "RSS", "RTPRIO", "RTTIME", "SIGPENDING", "STACK"),
    )
)
_CAPABILITY_SETS = ("bounding", "effective", "permitted", "inheritable", "ambient")


@dataclass(frozen=True, slots=True)
class User:
    """The IDs of the workload, as the container sees them."""

    uid: int = 0
    gid: int = 0
    additional_gids: tuple[int, ...] = ()
    umask: int | None = None


@dataclass(frozen=True, slots=True)
class Rlimit:
    """One resource limit, `type` as in setrlimit(2): RLIMIT_NOFILE; -1 is no limit."""

    type: str
    soft: int
    hard: int


@dataclass(frozen=True, slots=True)
class Capabilities:
    """The five capability sets of the workload, names as in capabilities(7)."""

    bounding: tuple[str, ...] = ()
    effective: tuple[str, ...] = ()
    permitted: tuple[str, ...] = ()
    inheritable: tuple[str, ...] = ()
    ambient: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ConsoleSize:
    """The size of a terminal in characters."""

    height: int
    width: int


@dataclass(frozen=True, slots=True)
class Process:
    """The workload.

    Attributes:
        cpu_affinity: Of a process that is run in the container later (`execCPUAffinity`).
    """

    args: tuple[str, ...]
    cwd: str = "/"
    env: tuple[str, ...] = ()
    user: User = field(default_factory=User)
    terminal: bool = False
    rlimits: tuple[Rlimit, ...] = ()
    capabilities: Capabilities | None = None
    no_new_privileges: bool = False
    oom_score_adj: int | None = None
    console_size: ConsoleSize | None = None
    scheduler: Scheduler | None = None
    io_priority: IOPriority | None = None
    cpu_affinity: CPUAffinity | None = None
    apparmor_profile: str = ""
    selinux_label: str = ""


@dataclass(frozen=True, slots=True)
class Mount:
    """One mount below the root file system, made in the order given.

    Attributes:
        uid_mappings: How owners of files show there (idmapped mounts); so do `gid_mappings`.
    """

    destination: str
    type: str = ""
    source: str = ""
    options: tuple[str, ...] = ()
    uid_mappings: tuple[IDMapping, ...] = ()
    gid_mappings: tuple[IDMapping, ...] = ()


@dataclass(frozen=True, slots=True)
class Spec:
    """A whole config.json.

    Attributes:
        root_path: `root.path`: the root file system, relative to the bundle or absolute.
    """

    process: Process
    root_path: str = "rootfs"
    root_readonly: bool = False
    hostname: str = ""
    domainname: str = ""
    mounts: tuple[Mount, ...] = ()
    hooks: Hooks = field(default_factory=Hooks)
    linux: LinuxSpec = field(default_factory=LinuxSpec)
    annotations: Mapping[str, str] = field(default_factory=dict)


def parse_spec(text: bytes, source: str = "config.json") -> Spec:
    """Read a config.json; raises InvalidInput naming the member that is at fault."""
    document = parse_document(text, source)
    version = document.require_text("ociVersion")
    if not _VERSION.fullmatch(version):
        raise document.require("ociVersion").fault(f"is {version}, and 1.x is understood here")
    root = document.require("root")
    linux = parse_linux_spec(document.member("linux"))
    return Spec(
        process=_parse_process(document.require("process")),
        root_path=root.require_text("path"),
        root_readonly=root.flag("readonly"),
        hostname=document.text("hostname"),
        domainname=document.text("domainname"),
        mounts=tuple(_parse_mount(item) for item in document.members("mounts")),
        hooks=parse_hooks(document.member("hooks")),
        linux=linux,
        annotations=_parse_annotations(document),
    )


def parse_process(text: bytes, source: str) -> Process:
    """Read a file that holds a `process` object alone; raises InvalidInput."""
    return _parse_process(parse_document(text, source))


def _parse_annotations(document: Node) -> Mapping[str, str]:
    found = document.mapping("annotations")
    if "" in found:
        raise document.member("annotations").fault("has a member without a name")
    return found


def _parse_process(document: Node) -> Process:
    args = document.texts("args")
    if not args:
        raise document.require("args").fault("must name the command to run")
    cwd = document.require_text("cwd")
    if not cwd.startswith("/"):
        raise document.require("cwd").fault("must be an absolute path")
    for variable in document.members("env"):
        if "=" not in variable.as_text():
            raise variable.fault("must have the form NAME=VALUE")
    user = document.member("user")
    return Process(
        args=args,
        cwd=cwd,
        env=document.texts("env"),
        user=User(
            uid=_parse_id(user, "uid"),
            gid=_parse_id(user, "gid"),
            additional_gids=tuple(item.as_id() for item in user.members("additionalGids")),
            umask=_parse_umask(user),
        ),
        terminal=document.flag("terminal"),
        rlimits=_parse_rlimits(document),
        capabilities=_parse_capabilities(document),
        no_new_privileges=document.flag("noNewPrivileges"),
        oom_score_adj=_parse_oom_score(document),
        console_size=_parse_console_size(document),
        scheduler=parse_scheduler(document),
        io_priority=parse_io_priority(document),
        cpu_affinity=parse_cpu_affinity(document),
        apparmor_profile=document.text("apparmorProfile"),
        selinux_label=document.text("selinuxLabel"),
    )


def _parse_id(user: Node, key: str) -> int:
    found = user.get(key)
    return 0 if found is None else found.as_id()


def _parse_umask(user: Node) -> int | None:
    mask = _optional_number(user, "umask")
    if mask is not None and not 0 <= mask <= 0o777:
        raise user.require("umask").fault("is not a file mode mask")
    return mask


def _parse_rlimits(document: Node) -> tuple[Rlimit, ...]:
    found: list[Rlimit] = []
    for item in document.members("rlimits"):
        kind = item.require("type").one_of(RLIMITS)
        if any(known.type == kind for known in found):
            raise item.require("type").fault(f"comes twice: {kind!r}")
        found.append(Rlimit(kind, _parse_limit(item, "soft"), _parse_limit(item, "hard")))
    return tuple(found)


def _parse_limit(item: Node, key: str) -> int:
    """Return -1 for RLIM_INFINITY, which setrlimit(2) has as an unsigned number and Python not."""
    value = item.number(key)
    if not 0 <= value <= _NO_LIMIT:
        raise item.require(key).fault("is not a resource limit")
    return -1 if value > _NO_LIMIT >> 1 else value


def _parse_capabilities(document: Node) -> Capabilities | None:
    sets = document.get("capabilities")
    if sets is None:
        return None
    return Capabilities(*(sets.texts(name) for name in _CAPABILITY_SETS))


def _parse_oom_score(document: Node) -> int | None:
    score = _optional_number(document, "oomScoreAdj")
    if score is not None and not -1000 <= score <= 1000:
        raise document.require("oomScoreAdj").fault("is not from -1000 to 1000")
    return score


def _parse_console_size(document: Node) -> ConsoleSize | None:
    size = document.get("consoleSize")
    if size is None:
        return None
    for name in ("height", "width"):
        size.require(name)
    return ConsoleSize(size.within("height", 0, 65535), size.within("width", 0, 65535))


def _optional_number(node: Node, key: str) -> int | None:
    found = node.get(key)
    return None if found is None else found.as_integer()


def _parse_mount(item: Node) -> Mount:
    destination = item.require_text("destination")
    if not destination.startswith("/"):
        # config.md: relative ones are deprecated, and taken as below the root
        destination = f"/{destination}"
    return Mount(
        destination,
        item.text("type"),
        item.text("source"),
        item.texts("options"),
        parse_mappings(item, "uidMappings"),
        parse_mappings(item, "gidMappings"),
    )


def format_spec(spec: Spec) -> str:
    """Return the JSON text of a config.json that `parse_spec` reads back as the same Spec."""
    document: dict[str, Any] = {
        "ociVersion": OCI_VERSION,
        "process": _process_document(spec.process),
        "root": {"path": spec.root_path, "readonly": spec.root_readonly},
        "hostname": spec.hostname,
        "domainname": spec.domainname,
        "mounts": [_mount_document(mount) for mount in spec.mounts],
        "hooks": spec.hooks.to_document(),
        "annotations": dict(spec.annotations),
        "linux": spec.linux.to_document(),
    }
    return json.dumps({key: value for key, value in document.items() if value}, indent=2) + "\n"


def _process_document(process: Process) -> dict[str, Any]:
    user: dict[str, Any] = {"uid": process.user.uid, "gid": process.user.gid}
    if process.user.additional_gids:
        user["additionalGids"] = list(process.user.additional_gids)
    if process.user.umask is not None:
        user["umask"] = process.user.umask
    document: dict[str, Any] = {
        "terminal": process.terminal,
        "user": user,
        "args": list(process.args),
        "env": list(process.env),
        "cwd": process.cwd,
        "noNewPrivileges": process.no_new_privileges,
    }
    if process.capabilities is not None:
        document["capabilities"] = {
            name: list(getattr(process.capabilities, name)) for name in _CAPABILITY_SETS
        }
    if process.rlimits:
        document["rlimits"] = [
            {"type": limit.type, "soft": limit.soft & _NO_LIMIT, "hard": limit.hard & _NO_LIMIT}
            for limit in process.rlimits
        ]
    if process.oom_score_adj is not None:
        document["oomScoreAdj"] = process.oom_score_adj
    if process.console_size is not None:
        size = process.console_size
        document["consoleSize"] = {"height": size.height, "width": size.width}
    if process.scheduler is not None:
        document["scheduler"] = process.scheduler.to_document()
    if process.io_priority is not None:
        document["ioPriority"] = process.io_priority.to_document()
    if process.cpu_affinity is not None:
        document["execCPUAffinity"] = process.cpu_affinity.to_document()
    if process.apparmor_profile:
        document["apparmorProfile"] = process.apparmor_profile
    if process.selinux_label:
        document["selinuxLabel"] = process.selinux_label
    return document


def _mount_document(mount: Mount) -> dict[str, Any]:
    document: dict[str, Any] = {"destination": mount.destination}
    if mount.type:
        document["type"] = mount.type
    if mount.source:
        document["source"] = mount.source
    if mount.options:
        document["options"] = list(mount.options)
    for name, mappings in (
        ("uidMappings", mount.uid_mappings),
        ("gidMappings", mount.gid_mappings),
    ):
        if mappings:
            document[name] = [mapping.to_document() for mapping in mappings]
    return document
