"""Removal of a folder with all that is in it, however deep (unlinkat(2)).

shutil.rmtree(3.11) calls itself for each level and takes paths: a container that makes a thousand
folders in each other ends it by its recursion limit, or by the length of the path. Here the way
down is a list and one descriptor. The way up is `..`: nobody else may change the folder meanwhile.
"""

import contextlib
import errno
import os
from pathlib import Path

_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FULL = (errno.ENOTEMPTY, errno.EEXIST, errno.EACCES)


def remove_tree(path: Path) -> None:
    """Remove a folder; one that is not there is no error. Raises OSError for the first refusal."""
    with contextlib.suppress(FileNotFoundError):
        _empty(path)
        os.rmdir(path)


def _empty(path: Path) -> None:
    fd = os.open(path, _FLAGS)
    try:
        names: list[str] = []  # where we are
        waiting = [_remove_flat(fd)]  # folders that are not empty, for each level
        while waiting:
            if waiting[-1]:
                names.append(waiting[-1].pop())
                fd = _move(fd, names[-1])
                waiting.append(_remove_flat(fd))
            else:
                waiting.pop()
                if names:
                    fd = _move(fd, "..")
                    os.rmdir(names.pop(), dir_fd=fd)
    finally:
        os.close(fd)


def _move(fd: int, name: str) -> int:
    """Return a descriptor of the folder of that name, for the one that is given up."""
    try:
        moved = os.open(name, _FLAGS, dir_fd=fd)
    except PermissionError:  # of our own, and closed
        os.chmod(name, 0o700, dir_fd=fd)
        moved = os.open(name, _FLAGS, dir_fd=fd)
    os.close(fd)
    return moved


def _remove_flat(fd: int) -> list[str]:
    """Remove files and empty folders; return the names of the others."""
    left = []
    with os.scandir(fd) as found:
        entries = [(entry.name, entry.is_dir(follow_symlinks=False)) for entry in found]
    with contextlib.suppress(OSError):  # who may not says so below
        if entries:
            os.fchmod(fd, 0o700)
    for name, is_folder in entries:
        if not is_folder:
            os.unlink(name, dir_fd=fd)
            continue
        try:
            os.rmdir(name, dir_fd=fd)
        except OSError as error:
            if error.errno not in _FULL:
                raise
            left.append(name)
    return left
