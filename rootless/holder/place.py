"""Where a holder is met: one for each context in which a run could differ.

Who is in another cgroup or in other namespaces, has other limits or another priority, or is of
another version, must not meet this one, and so looks for another name: what has to be equal is in
the name of the folder.
"""

import os
import stat
import sys
from _socket import SO_PEERCRED, SOL_SOCKET

TYPE_CHECKING = False
if TYPE_CHECKING:
    from _socket import socket
    from collections.abc import Mapping

FOLDER = "holder"
DOOR = "door"
UNOPENED = ".door"
_NAMESPACES = ("cgroup", "ipc", "mnt", "net", "pid", "time", "user", "uts")
_SUN_PATH = 108  # bytes, with the NUL: unix(7)
_PRIME = (1 << 89) - 1  # a Mersenne one: the rest of a division is a digest that costs no import


def runtime_folder(environ: "Mapping[str, str]") -> str:
    """Return `Paths.runtime`, without the imports that `paths` needs."""
    home = environ.get("XDG_RUNTIME_DIR", "")
    if home.startswith("/") and os.access(home, os.W_OK | os.X_OK):
        return f"{home}/rootless"
    named = [environ.get(name, "") for name in ("TMPDIR", "TEMP", "TMP")]
    for folder in (*named, "/tmp", "/var/tmp", "/usr/tmp"):  # noqa: S108 - as `tempfile` does
        if folder and os.access(folder, os.W_OK | os.X_OK):
            return f"{os.path.abspath(folder)}/rootless-{os.getuid()}"
    return ""


def context() -> str:
    """Return what must be equal for a client and its holder."""
    own = os.stat(__file__)  # an upgrade writes the files anew
    parts = [__file__, str(own.st_ino), str(own.st_mtime_ns), str(os.getuid()), str(os.getgid())]
    parts.append(",".join(map(str, os.getgroups())))
    for name in ("root", *(f"ns/{each}" for each in _NAMESPACES)):
        try:
            parts.append(os.readlink(f"/proc/self/{name}"))
        except OSError:
            parts.append("")
    parts.append(str(os.getpriority(os.PRIO_PROCESS, 0)))
    for name in ("cgroup", "limits"):
        with open(f"/proc/self/{name}", "rb", buffering=0) as file:
            parts.append(file.read().decode("utf-8", "surrogateescape"))
    return "\n".join(parts)


def folder_for(runtime: str, wanted: str) -> str:
    """Return the folder of the holder for a context."""
    digest = int.from_bytes(wanted.encode("utf-8", "surrogateescape"), "little") % _PRIME
    return f"{runtime}/{FOLDER}/{digest:023x}"


def has_room(folder: str) -> bool:
    """Tell whether a socket in a folder can have a name: a path may be too long for that."""
    return len(os.fsencode(f"{folder}/{UNOPENED}")) < _SUN_PATH


def is_private(folder: str) -> bool:
    """Tell whether nobody else could have put something there."""
    found = os.lstat(folder)
    return (
        stat.S_ISDIR(found.st_mode)
        and found.st_uid == os.getuid()
        and not found.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
    )


def peer_of(end: "socket") -> tuple[int, int]:
    """Return process and user ID of who is at the other end of a connection (unix(7))."""
    found = end.getsockopt(SOL_SOCKET, SO_PEERCRED, 12)
    pid, uid = (int.from_bytes(found[at : at + 4], sys.byteorder) for at in (0, 4))
    return pid, uid
