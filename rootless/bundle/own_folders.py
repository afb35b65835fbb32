"""Folders of the caller's at the same place inside: his home, where he stands, scratch.

What belongs to the image stays the image's: a folder of the system, and whatever holds one, is left
out. A folder below another one that is brought along comes with that.
"""

import os
import posixpath
from collections.abc import Iterable

from rootless.bundle import share
from rootless.oci.runtime_spec import Mount

_SOCKETS = "/run/"  # daemons have theirs below it

_OPTIONS = ("rbind", "rslave")  # what an automounter mounts later is there, too


def chosen(paths: Iterable[str]) -> tuple[str, ...]:
    """Return which folders are to be brought along, each once, with what their links lead to.

    Args:
        paths: Candidates; what is no folder of the host is passed over.
    """
    found: list[str] = []
    for path in paths:
        if not path.startswith("/"):
            continue
        normal = posixpath.normpath(f"/{path.lstrip('/')}")
        for each in (normal, os.path.realpath(normal)):
            if each not in found and _is_own(each) and os.path.isdir(each):
                found.append(each)
    return tuple(path for path in found if not any(_is_below(path, other) for other in found))


def mounts(folders: Iterable[str]) -> tuple[Mount, ...]:
    """Return a bind mount for each of the folders that `chosen` gave."""
    return tuple(Mount(path, "bind", path, _OPTIONS) for path in folders)


def holds(folders: Iterable[str], path: str) -> bool:
    """Tell whether a path is one of these folders, or below one."""
    return any(path == folder or _is_below(path, folder) for folder in folders)


def _is_own(path: str) -> bool:
    return path.startswith(_SOCKETS) or share.may_be_bound(path)


def _is_below(path: str, other: str) -> bool:
    return path != other and path.startswith(f"{other}/")
