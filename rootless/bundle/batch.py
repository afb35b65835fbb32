"""What a batch user's container has of its node: `run --hpc`.

It is the caller's own program with other system files: his IDs, folders and variables, the node's
network, processes and IPC, the batch system's cgroup, the fabric's devices. What an option of the
command line says otherwise wins.
"""

import glob
import os
import stat
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from rootless.bundle import own_environment, own_folders
from rootless.oci.runtime_spec import Mount

# Where sites tell jobs to write; a job's own folder is one of them.
_SCRATCH = """
    TMPDIR SCRATCH WORK WORKDIR PROJECT LOCAL_SCRATCH LOCALSCRATCH JOBFS PBS_JOBFS SLURM_TMPDIR
    JOB_TMPDIR SLURM_SUBMIT_DIR PBS_O_WORKDIR LS_SUBCWD FLUX_JOB_TMPDIR
"""
# Folders with the sockets and files of what starts ranks.
_SOCKETS = """
    PMIX_SERVER_TMPDIR PMIX_SYSTEM_TMPDIR PMIX_DSTORE_ESH_BASE_PATH OMPI_MCA_orte_top_session_dir
    OMPI_MCA_orte_tmpdir_base OMPI_MCA_orte_jobfam_session_dir PRTE_MCA_prte_tmpdir_base
    SLURM_PMIX_TMPDIR HYDRA_TMPDIR
"""
_FLUX_URI = "FLUX_URI"
_LOCAL_URI = "local://"

# Network adapters, and copies of memory between processes.
DEVICES = (
    *("/dev/infiniband/*", "/dev/hfi1*", "/dev/ipath*", "/dev/cxi*", "/dev/hsi*", "/dev/kgni*"),
    *("/dev/xpmem", "/dev/knem", "/dev/gdrdrv", "/dev/opx*"),
)
_HUGE_PAGES = "/dev/hugepages"
_TEMPORARY = "/tmp"  # noqa: S108 - the caller's, as it is

# A descriptor that is named here and is a socket is that of the process manager.
_PMI_FD = "PMI_FD"


@dataclass(frozen=True, slots=True)
class Node:
    """What is brought along.

    Attributes:
        mounts: The caller's folders.
        inherited: NAME=VALUE, for where the image has none of the name.
        env: NAME=VALUE of the job, before those of the image.
        devices: SOURCE of each node.
        workdir: Where the caller stands; "" where that is not there inside.
        fds: Descriptors of the process manager.
    """

    mounts: tuple[Mount, ...]
    inherited: tuple[str, ...]
    env: tuple[str, ...]
    devices: tuple[str, ...]
    workdir: str
    fds: tuple[int, ...]


def node(environ: Mapping[str, str], home: str, more: Iterable[str] = ()) -> Node:
    """Look what there is on this node for a container of this environment's.

    Args:
        environ: The caller's variables.
        home: His home.
        more: Folders of the site's.
    """
    here = _here(environ)
    folders = own_folders.chosen(
        (home, _TEMPORARY, here, os.path.realpath(here), *_named(environ), *more)
    )
    env = list(own_environment.of_the_job(environ))
    if own_folders.holds(folders, home):
        env.append(f"HOME={home}")
    mounts = own_folders.mounts(folders)
    if os.path.isdir(_HUGE_PAGES):
        mounts += (Mount(_HUGE_PAGES, "bind", _HUGE_PAGES, ("rbind", "rslave", "nosuid")),)
    return Node(
        mounts=mounts,
        inherited=own_environment.inherited(environ),
        env=tuple(env),
        devices=_devices(),
        workdir=here if own_folders.holds(folders, here) else "",
        fds=_process_manager(environ),
    )


def job_of(environ: Mapping[str, str]) -> str:
    """Return what tells a job of the batch system from others; "" outside of one."""
    for name in ("SLURM_JOB_ID", "PBS_JOBID", "FLUX_JOB_ID", "LSB_JOBID", "JOB_ID", "COBALT_JOBID"):
        if environ.get(name):
            return f"{name}={environ[name]}"
    return ""


def _here(environ: Mapping[str, str]) -> str:
    """Return the working directory by the name that the caller has for it; "/" for none."""
    try:
        named = environ.get("PWD", "")
        if named.startswith("/") and os.path.samefile(named, "."):
            return named
        return os.getcwd()
    except OSError:
        return "/"


def _named(environ: Mapping[str, str]) -> list[str]:
    """Return the folders that variables name."""
    found = [environ.get(name, "") for name in (*_SCRATCH.split(), *_SOCKETS.split())]
    uri = environ.get(_FLUX_URI, "")
    if uri.startswith(_LOCAL_URI):
        found.append(os.path.dirname(uri.removeprefix(_LOCAL_URI)))
    return found


def _devices() -> tuple[str, ...]:
    found = (path for pattern in DEVICES for path in sorted(glob.glob(pattern)))
    return tuple(path for path in found if _is_node(path))


def _is_node(path: str) -> bool:
    try:
        mode = os.stat(path).st_mode
    except OSError:
        return False
    return stat.S_ISCHR(mode) and os.access(path, os.R_OK | os.W_OK)


def _process_manager(environ: Mapping[str, str]) -> tuple[int, ...]:
    """Return the descriptor that a starter of ranks left open; only a socket or pipe is taken."""
    return tuple(fd for fd in named_fds(environ) if _is_connection(fd))


def named_fds(environ: Mapping[str, str]) -> tuple[int, ...]:
    """Return the descriptors that variables name, whether they are there or not."""
    text = environ.get(_PMI_FD, "")
    return (int(text),) if text.isdecimal() and len(text) <= 6 and int(text) > 2 else ()


def _is_connection(fd: int) -> bool:
    try:
        mode = os.fstat(fd).st_mode
        ours = not os.get_inheritable(fd)  # whatever is opened here is closed by execve(2)
    except OSError:
        return False
    return not ours and (stat.S_ISSOCK(mode) or stat.S_ISFIFO(mode))
