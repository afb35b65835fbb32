"""What `version` and `info` say, under podman's names where the meaning is the same."""

import os
import platform
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from rootless import __version__
from rootless.containers import listing
from rootless.image import names
from rootless.image.store import Store
from rootless.linux.statfs import statfs
from rootless.paths import Paths

_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64", "armv7l": "arm", "i686": "386"}


def version() -> dict[str, Any]:
    """Return which rootless this is, as the `Client` of `podman version`."""
    return {
        "Version": __version__,
        "PythonVersion": platform.python_version(),
        "OsArch": f"linux/{_architecture()}",
        "Os": "linux",
    }


def version_lines() -> list[str]:
    """Return the same for people."""
    found = version()
    labels = {"Version": "Version", "PythonVersion": "Python Version", "OsArch": "OS/Arch"}
    return ["Client:         rootless", *(f"{labels[k] + ':':15} {found[k]}" for k in labels)]


def info(paths: Paths) -> dict[str, Any]:
    """Return what `info` says of the host, the store and rootless."""
    store = Store.open(paths, create=False)
    listed = listing.listed((), everything=True)
    running = sum(each.status.is_alive for each in listed)
    return {
        "host": _host(),
        "store": {
            "graphDriverName": "overlay",
            "graphRoot": str(paths.store),
            "graphStatus": {"Backing Filesystem": _file_system(paths.store)},
            "additionalStores": [str(other.root) for other in store.others],
            "runRoot": str(paths.runtime),
            "configFile": next((str(path) for path in paths.settings if path.exists()), ""),
            "containerStore": {
                "number": len(listed),
                "paused": 0,
                "running": running,
                "stopped": len(listed) - running,
            },
            "imageStore": {"number": len({e.manifest_digest for e in names.entries(store)})},
        },
        "version": version(),
    }


def _host() -> dict[str, Any]:
    memory = dict(_sizes(Path("/proc/meminfo").read_text().splitlines()))
    return {
        "arch": _architecture(),
        "os": "linux",
        "kernel": os.uname().release,
        "hostname": os.uname().nodename,
        "distribution": _distribution(),
        "cpus": os.cpu_count() or 1,
        "memFree": memory.get("MemFree", 0),
        "memTotal": memory.get("MemTotal", 0),
        "swapFree": memory.get("SwapFree", 0),
        "swapTotal": memory.get("SwapTotal", 0),
        "cgroupVersion": "v2" if Path("/sys/fs/cgroup/cgroup.controllers").exists() else "v1",
        "ociRuntime": {"name": "rootless-runtime", "path": _runtime()},
        "security": {"rootless": True, "seccompEnabled": True},
        "serviceIsRemote": False,
    }


def _architecture() -> str:
    machine = os.uname().machine
    return _ARCHITECTURES.get(machine, machine)


def _sizes(lines: Iterable[str]) -> Iterable[tuple[str, int]]:
    for line in lines:
        name, _, value = line.partition(":")
        words = value.split()
        if words[1:] == ["kB"]:
            yield name, int(words[0]) * 1024


def _distribution() -> dict[str, str]:
    try:
        found = platform.freedesktop_os_release()
    except OSError:
        return {"distribution": "unknown", "version": "unknown"}
    return {"distribution": found["ID"], "version": found.get("VERSION_ID", "unknown")}


def _runtime() -> str:
    path = Path(sys.argv[0]).parent / "rootless-runtime"
    return str(path) if path.exists() else ""


def _file_system(folder: Path) -> str:
    there = next(path for path in (folder, *folder.parents) if path.exists())
    return statfs(there).type_name
