"""A folder that nobody else can change: the run-time folder, which may lie in a shared /tmp."""

import os
import stat
from pathlib import Path

from rootless.errors import StoreError

_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH


def make_private(folder: Path) -> None:
    """Make the folder, mode 0700, if it is not there; raises OSError, or as `check_private`."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    check_private(folder)


def check_private(folder: Path) -> None:
    """Refuse a folder that another user made first, or may write to; raises StoreError, OSError."""
    found = folder.lstat()
    if found.st_uid != os.getuid() or found.st_mode & _OTHERS_WRITE:
        raise StoreError(
            "the run-time folder is not yours alone",
            str(folder),
            "set XDG_RUNTIME_DIR or TMPDIR to a folder of yours",
        )
