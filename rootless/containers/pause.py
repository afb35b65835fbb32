"""Freezing a container while its files are read: cgroups(7), cgroup v2's `cgroup.freeze`."""

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rootless.runtime.cgroup import Cgroup

log = logging.getLogger(__name__)

_CGROUPS = Path("/sys/fs/cgroup")


@contextmanager
def paused(pid: int, *, wanted: bool, cgroups: Path = _CGROUPS) -> Iterator[None]:
    """Keep a container's processes from running within the block.

    Where it has no cgroup of its own that can be frozen, it is said, and it goes on running: a file
    that changes while it is read is told anyway.

    Args:
        pid: Its first process; 0 where it does not run.
        wanted: Whether to do anything at all.
        cgroups: Where cgroup v2 is mounted.

    Raises:
        RootlessError: A process of it does not freeze.
    """
    folder = _own_cgroup(pid, cgroups) if wanted and pid else None
    if folder is None:
        if wanted and pid:
            log.warning("the container goes on running: it has no cgroup that could be frozen")
        yield
        return
    cgroup = Cgroup(folder)
    cgroup.freeze()
    try:
        yield
    finally:
        cgroup.thaw()


def _own_cgroup(pid: int, cgroups: Path) -> Path | None:
    """Return the cgroup of a process, where that is not ours too and we may freeze it."""
    theirs, ours = _cgroup_of(str(pid)), _cgroup_of("self")
    if not theirs or f"{ours}/".startswith(f"{theirs}/"):
        return None
    folder = cgroups / theirs.lstrip("/")
    return folder if os.access(folder / "cgroup.freeze", os.W_OK) else None


def _cgroup_of(pid: str) -> str:
    """Return the path of a process's cgroup of version 2; "" for none."""
    try:
        lines = Path(f"/proc/{pid}/cgroup").read_text(encoding="utf-8").splitlines()
    except OSError:
        return ""
    return next((line[3:].rstrip("/") for line in lines if line.startswith("0::")), "")
