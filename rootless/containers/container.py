"""One container as it is about to be run: plain data, all decisions made."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from rootless.containers.network.network import Network
from rootless.oci.runtime_spec import Spec
from rootless.runtime.seccomp import SeccompFilter
from rootless.userns.maps import Maps

HOST = "host"


@dataclass(frozen=True, slots=True)
class OverlayRoot:
    """The root file system is an overlay over a merged tree.

    Attributes:
        tree: The tree's file.
        layers: The layers' tars, lowest first.
        driver: "auto", "hybrid" or "fuse".
        name: What mount tables show.
        kept: Folder of an upperdir that is kept; None for one that goes with the run.
    """

    tree: Path
    layers: tuple[Path, ...]
    driver: str
    name: str
    kept: Path | None = None


@dataclass(frozen=True, slots=True)
class PlainRoot:
    """The root file system is a folder of a bundle."""

    path: Path


@dataclass(frozen=True, slots=True)
class Container:
    """Everything that the processes of a run need to know.

    Attributes:
        id: 64 hexadecimal digits.
        spec: What to run.
        maps: The ID maps of its user namespace.
        root: Where its files come from.
        interactive: The workload reads the caller's standard input.
        keep_groups: The caller's supplementary groups stay.
        devices: Host device nodes to pass, (source, destination) each.
        privileged: All of the host's devices that the caller may use are passed too, as they are at
            each start.
        name_files: Files to write and bind, by destination; they give way to the user's mounts.
        cgroup: It gets a cgroup of its own where there is one to be had.
        seccomp: The spec's filter, compiled; None where it has none.
        network: What it is attached to; a bundle's is as its spec has it.
        pid: Whose PID namespace it has: HOST, or another container's by its ID; "" for its own.
        job: With whom it has its user namespace in common: the parts of a job on this node, "" for
            what is no job; None for a namespace of its own.
        in_session: The workload stays in the caller's session and process group.
    """

    id: str
    spec: Spec
    maps: Maps
    root: OverlayRoot | PlainRoot
    interactive: bool = False
    keep_groups: bool = False
    devices: tuple[tuple[str, str], ...] = ()
    privileged: bool = False
    name_files: Mapping[str, bytes] = field(default_factory=dict)
    cgroup: bool = True
    seccomp: SeccompFilter | None = None
    network: Network = field(default_factory=Network)
    pid: str = ""
    job: str | None = None
    in_session: bool = False

    @property
    def joins_pids(self) -> bool:
        """Tell whether it is among the processes of another container."""
        return self.pid not in ("", HOST)
