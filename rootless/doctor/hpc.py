"""Checks of a cluster's node, which `doctor --hpc` adds; none of them stands in the way of a run.

They are `home`, `temporary`, `shared-memory`, `namespaces`, `processes`, `memory-of-ranks`,
`fabric`, `locked-memory` and `gpu`.
"""

import glob
import os
import resource
from dataclasses import dataclass
from pathlib import Path

from rootless.bundle import batch, cdi, nvidia
from rootless.doctor.check import Check, State
from rootless.doctor.store_fs import FolderFacts
from rootless.doctor.store_fs import gather as gather_folder
from rootless.linux.statfs import FileSystem, statfs
from rootless.paths import Paths
from rootless.settings import load

_FEW_NAMESPACES = 64
_FEW_PROCESSES = 64
_LITTLE_SHARED = 256 << 20
_UNLIMITED = resource.RLIM_INFINITY
_YAMA = Path("/proc/sys/kernel/yama/ptrace_scope")  # Documentation/admin-guide/LSM/Yama.rst
_LIMITS = Path("/proc/sys/user")  # namespaces(7), "The /proc/sys/user directory"


@dataclass(frozen=True, slots=True)
class NodeFacts:
    """What was found.

    Attributes:
        home: The caller's home.
        temporary: $TMPDIR, or /tmp.
        shared: /dev/shm; None where nothing is mounted there.
        namespaces: How many user and mount namespaces there may be, the lesser of both.
        processes: How many processes the user may have, -1 for any number.
        ptrace_scope: 0 lets a user's processes read each other's memory; 1 asks their consent.
        fabric: Nodes of network adapters that can be opened.
        closed: Those that cannot.
        locked: Bytes that a process may lock, -1 for any number.
        cdi: Kinds of devices in CDI files.
        nvidia: GPUs of NVIDIA's driver, without CDI.
        amd: Render nodes beside /dev/kfd.
    """

    home: FolderFacts
    temporary: FolderFacts
    shared: FileSystem | None = None
    namespaces: int = 1 << 20
    processes: int = -1
    ptrace_scope: int = 0
    fabric: tuple[str, ...] = ()
    closed: tuple[str, ...] = ()
    locked: int = -1
    cdi: tuple[str, ...] = ()
    nvidia: int = 0
    amd: int = 0


def gather(paths: Paths, home: str) -> NodeFacts:
    """Look."""
    settings = load(paths.settings)
    nodes = [path for pattern in batch.DEVICES for path in sorted(glob.glob(pattern))]
    opened = tuple(path for path in nodes if os.access(path, os.R_OK | os.W_OK))
    limits = [_number(_LIMITS / f"max_{kind}_namespaces", 1 << 20) for kind in ("user", "mnt")]
    return NodeFacts(
        home=gather_folder(Path(home)),
        temporary=gather_folder(Path(os.environ.get("TMPDIR") or "/tmp")),  # noqa: S108
        shared=statfs(Path("/dev/shm")) if os.path.ismount("/dev/shm") else None,  # noqa: S108
        namespaces=min(limits),
        processes=_limit(resource.RLIMIT_NPROC),
        ptrace_scope=_number(_YAMA, 0),
        fabric=opened,
        closed=tuple(path for path in nodes if path not in opened),
        locked=_limit(resource.RLIMIT_MEMLOCK),
        cdi=tuple(dict.fromkeys(spec.kind for folder in cdi.of_host(settings) for spec in folder)),
        nvidia=len(nvidia.gpus(nvidia.driver_root(settings))),
        amd=len(glob.glob("/dev/dri/renderD*")) if os.path.exists("/dev/kfd") else 0,
    )


def _number(path: Path, default: int) -> int:
    try:
        return int(path.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return default


def _limit(kind: int) -> int:
    soft, _ = resource.getrlimit(kind)
    return -1 if soft == _UNLIMITED else soft


def check_node(facts: NodeFacts) -> tuple[Check, ...]:
    """Judge."""
    return (
        _home(facts.home),
        _temporary(facts.temporary),
        _shared_memory(facts.shared),
        _namespaces(facts.namespaces),
        _processes(facts.processes),
        _memory_of_ranks(facts.ptrace_scope),
        _fabric(facts),
        _locked_memory(facts),
        _gpu(facts),
    )


def _home(folder: FolderFacts) -> Check:
    name = "home"
    if folder.write_errno:
        return Check(
            name,
            State.WARNING,
            folder.seen,
            f"no file can be made there: {os.strerror(folder.write_errno)}",
            "set ROOTLESS_HOME and XDG_CONFIG_HOME to folders that can be written to",
        )
    return Check(name, State.OK, folder.seen)


def _temporary(folder: FolderFacts) -> Check:
    name, fix = "temporary", "set TMPDIR, and ROOTLESS_SCRATCH, to a folder on the node's own disk"
    if folder.write_errno:
        cause = f"no file can be made there: {os.strerror(folder.write_errno)}"
        return Check(name, State.WARNING, folder.seen, cause, fix)
    if folder.file_system.is_network:
        cause = "what ranks share and containers write goes over the network"
        return Check(name, State.WARNING, folder.seen, cause, fix)
    return Check(name, State.OK, folder.seen)


def _shared_memory(shared: FileSystem | None) -> Check:
    name = "shared-memory"
    fix = "have a tmpfs mounted on /dev/shm, of half the memory, as systemd does"
    if shared is None:
        return Check(name, State.WARNING, "nothing is mounted on /dev/shm", "MPI wants it", fix)
    seen = f"{shared.free_bytes / (1 << 30):.1f} GiB free in /dev/shm"
    if shared.free_bytes < _LITTLE_SHARED:
        return Check(name, State.WARNING, seen, "that is little for the ranks of a node", fix)
    return Check(name, State.OK, seen)


def _namespaces(number: int) -> Check:
    name, seen = "namespaces", f"at most {number} a user"
    if number < _FEW_NAMESPACES:
        return Check(
            name,
            State.WARNING,
            seen,
            "each container has a mount namespace of its own, and each job a user namespace",
            "sysctl -w user.max_user_namespaces=15000 user.max_mnt_namespaces=15000",
        )
    return Check(name, State.OK, seen)


def _processes(number: int) -> Check:
    name = "processes"
    if number < 0:
        return Check(name, State.OK, "as many as you like")
    seen = f"at most {number} (ulimit -u)"
    if number < _FEW_PROCESSES:
        cause = "a container has four beside its own"
        return Check(name, State.WARNING, seen, cause, "raise nproc in limits.conf(5)")
    return Check(name, State.OK, seen)


def _memory_of_ranks(scope: int) -> Check:
    name, seen = "memory-of-ranks", f"kernel.yama.ptrace_scope is {scope}"
    if scope > 1:
        return Check(
            name,
            State.WARNING,
            seen,
            "ranks cannot copy from each other's memory (process_vm_readv), and copy twice",
            "sysctl -w kernel.yama.ptrace_scope=0",
        )
    return Check(name, State.OK, seen)


def _fabric(facts: NodeFacts) -> Check:
    name = "fabric"
    if facts.closed:
        return Check(
            name,
            State.WARNING,
            f"{len(facts.fabric)} nodes, and {len(facts.closed)} that are closed to you",
            f"you cannot open {facts.closed[0]}",
            "a udev rule that gives it mode 0666, as rdma-core's does",
        )
    return Check(name, State.OK, " ".join(facts.fabric) or "no adapter with nodes in /dev")


def _locked_memory(facts: NodeFacts) -> Check:
    name = "locked-memory"
    if facts.locked < 0:
        return Check(name, State.OK, "as much as you like")
    seen = f"at most {facts.locked >> 10} KiB (ulimit -l)"
    if facts.fabric:
        return Check(
            name,
            State.WARNING,
            seen,
            "RDMA adapters want to lock the buffers of messages",
            "memlock unlimited in limits.conf(5); for Slurm, PropagateResourceLimitsExcept=MEMLOCK",
        )
    return Check(name, State.OK, seen)


def _gpu(facts: NodeFacts) -> Check:
    name = "gpu"
    found = [f"CDI files for {kind}" for kind in facts.cdi]
    if facts.nvidia:
        found.append(f"{facts.nvidia} of NVIDIA's driver")
    if facts.amd:
        found.append(f"{facts.amd} of AMD's")
    return Check(name, State.OK, ", ".join(found) or "none")
