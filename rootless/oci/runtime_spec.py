"""config.json: what a bundle asks a runtime for (runtime-spec config.md, version 1.0 and later)."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from rootless.oci.document import Node, parse_document
from rootless.oci.hooks_spec import Hooks, parse_hooks
from rootless.oci.linux_spec import LinuxSpec, parse_linux_spec

OCI_VERSION = "1.0.2"
_NO_LIMIT = (1 << 64) - 1  # RLIM_INFINITY: config.json has unsigned numbers
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
class Process:
    """The workload."""

    args: tuple[str, ...]
    cwd: str = "/"
    env: tuple[str, ...] = ()
    user: User = field(default_factory=User)
    terminal: bool = False
    rlimits: tuple[Rlimit, ...] = ()
    capabilities: Capabilities | None = None
    no_new_privileges: bool = False
    oom_score_adj: int | None = None


@dataclass(frozen=True, slots=True)
class Mount:
    """One mount below the root file system, made in the order given."""

    destination: str
    type: str = ""
    source: str = ""
    options: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Spec:
    """A whole config.json.

    Attributes:
        root_path: `root.path`: the root file system, relative to the bundle or absolute.
        not_applied: Members that ask for something that this version does not do.
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
    not_applied: tuple[str, ...] = ()


def parse_spec(text: bytes, source: str = "config.json") -> Spec:
    """Read a config.json; raises InvalidInput naming the member that is at fault."""
    document = parse_document(text, source)
    version = document.require_text("ociVersion")
    if version.split(".", 1)[0] != "1":
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
        annotations=document.mapping("annotations"),
        not_applied=linux.not_applied,
    )


def parse_process(text: bytes, source: str) -> Process:
    """Read a file that holds a `process` object alone; raises InvalidInput."""
    return _parse_process(parse_document(text, source))


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
        rlimits=tuple(
            Rlimit(
                item.require_text("type"), _parse_limit(item, "soft"), _parse_limit(item, "hard")
            )
            for item in document.members("rlimits")
        ),
        capabilities=_parse_capabilities(document),
        no_new_privileges=document.flag("noNewPrivileges"),
        oom_score_adj=_optional_number(document, "oomScoreAdj"),
    )


def _parse_id(user: Node, key: str) -> int:
    found = user.get(key)
    return 0 if found is None else found.as_id()


def _parse_umask(user: Node) -> int | None:
    mask = _optional_number(user, "umask")
    if mask is not None and not 0 <= mask <= 0o777:
        raise user.require("umask").fault("is not a file mode mask")
    return mask


def _parse_limit(item: Node, key: str) -> int:
    """Return -1 for RLIM_INFINITY, which setrlimit(2) has as an unsigned number and Python not."""
    value = item.number(key)
    if not -1 <= value <= _NO_LIMIT:
        raise item.require(key).fault("is not a resource limit")
    return -1 if value > _NO_LIMIT >> 1 else value


def _parse_capabilities(document: Node) -> Capabilities | None:
    sets = document.get("capabilities")
    if sets is None:
        return None
    return Capabilities(*(sets.texts(name) for name in _CAPABILITY_SETS))


def _optional_number(node: Node, key: str) -> int | None:
    found = node.get(key)
    return None if found is None else found.as_integer()


def _parse_mount(item: Node) -> Mount:
    destination = item.require_text("destination")
    if not destination.startswith("/"):
        # config.md: relative ones are deprecated, and taken as below the root
        destination = f"/{destination}"
    return Mount(destination, item.text("type"), item.text("source"), item.texts("options"))


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
    return document


def _mount_document(mount: Mount) -> dict[str, Any]:
    document: dict[str, Any] = {"destination": mount.destination}
    if mount.type:
        document["type"] = mount.type
    if mount.source:
        document["source"] = mount.source
    if mount.options:
        document["options"] = list(mount.options)
    return document
