"""`--cidfile` and `--pidfile`: the container's ID and its workload's process ID, for scripts."""

import os

from rootless.containers.record import Record
from rootless.errors import Conflict, StoreError


def check_new(path: str) -> None:
    """Raise Conflict where a file for an ID is there, before anything is made."""
    if path and os.path.lexists(path):
        raise Conflict("the file for the container's ID is there already", path, "remove it first")


def write_cidfile(path: str, record: Record) -> None:
    """Write the ID into a new file; "" is no file."""
    if path:
        _write(path, record.id, os.O_EXCL)


def write_pidfile(path: str, pid: int) -> None:
    """Write a process ID."""
    _write(path, str(pid), os.O_TRUNC)


def _write(path: str, text: str, flag: int) -> None:
    try:
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | flag, 0o644)
        with open(fd, "w", encoding="ascii") as file:
            file.write(text)
    except FileExistsError:
        check_new(path)
    except OSError as error:
        raise StoreError(f"cannot write: {error.strerror}", path) from error
