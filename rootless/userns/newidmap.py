"""Writing the maps of another process: newuidmap(1) and newgidmap(1), or by hand for one ID."""

import subprocess
from pathlib import Path

from rootless.errors import Precondition
from rootless.userns.idmap import IDMap
from rootless.userns.maps import Maps

# They look users up, and a directory service that does not answer keeps them waiting.
_TIMEOUT_S = 30.0


def write_maps(pid: int, maps: Maps) -> None:
    """Give the new user namespace of process `pid` its maps; raises Precondition."""
    if maps.needs_helpers:
        _run_helper("newuidmap", pid, maps.uid)
        _run_helper("newgidmap", pid, maps.gid)
        return
    try:
        # Without privilege a group list cannot be dropped, so setgroups(2) must be given up
        # before the kernel takes a gid_map (user_namespaces(7), CVE-2014-8989).
        if not maps.privileged:
            Path(f"/proc/{pid}/setgroups").write_text("deny", encoding="ascii")
        Path(f"/proc/{pid}/uid_map").write_text(maps.uid.to_procfs(), encoding="ascii")
        Path(f"/proc/{pid}/gid_map").write_text(maps.gid.to_procfs(), encoding="ascii")
    except PermissionError as error:
        raise Precondition(
            "the kernel refuses to map your user ID in a new user namespace",
            error.filename,
            "a security module forbids it: see 'rootless doctor'",
            check="userns",
        ) from error


def _run_helper(tool: str, pid: int, idmap: IDMap) -> None:
    numbers = [str(n) for m in idmap.mappings for n in (m.inside, m.outside, m.length)]
    try:
        result = subprocess.run(
            [tool, str(pid), *numbers],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise Precondition(
            f"{tool} does not answer",
            f"{_TIMEOUT_S:.0f} s",
            "it may wait for a directory service; --userns single does without",
            check="subid",
        ) from None
    except FileNotFoundError as error:
        raise Precondition(
            f"cannot run {tool}", error.strerror or "", "Debian package uidmap", check="subid"
        ) from error
    if result.returncode != 0:
        raise Precondition(
            f"{tool} refuses the ID map",
            result.stderr.strip().replace("\n", "; "),
            "compare /etc/subuid and /etc/subgid with 'rootless doctor', "
            "or run with --userns single",
            check="subid",
        )
