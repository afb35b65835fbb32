"""The folder in which another container program runs, apart from whatever else this user has."""

import os
import tempfile
from pathlib import Path

import leaks


def make(prefix: str) -> Path:
    """Make one, with a short path: sockets lie deep below it."""
    folder = Path(tempfile.mkdtemp(prefix=prefix, dir="/var/tmp"))
    for name in ("home", "run", "tmp"):
        (folder / name).mkdir(mode=0o700)
    return folder


def environ(folder: Path) -> dict[str, str]:
    """Return the environment of a program that keeps to it."""
    return {
        "HOME": str(folder / "home"),
        "USER": os.environ.get("USER", ""),
        "PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin",
        "LANG": "C.UTF-8",
        "XDG_RUNTIME_DIR": str(folder / "run"),
        "TMPDIR": str(folder / "tmp"),
        leaks.SESSION_VARIABLE: os.environ[leaks.SESSION_VARIABLE],
    }
