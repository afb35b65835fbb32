"""What a run made for its mounts, taken out of the upperdir again: no layer is to have it.

A mount needs something to be mounted on. Where the image has nothing there, the runtime makes an
empty directory or file, with the directories above it, and that shows in the upperdir. It goes,
unless the workload has put something into it; the directory above gets back the time it had.
"""

import contextlib
import os
import posixpath
import stat
from collections.abc import Iterable

from rootless.build.copy_source import LINKS_MAX, path_parts
from rootless.image.layers import Tree
from rootless.linux.openat2 import RESOLVE_BENEATH, RESOLVE_NO_SYMLINKS, openat2

_BENEATH = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY


def remove_mount_points(upper_fd: int, tree: Tree, destinations: Iterable[str]) -> None:
    """Remove what was made for mounts at these places; raises OSError.

    Args:
        upper_fd: The upperdir, which nothing is mounted over.
        tree: What lay below it.
        destinations: Absolute paths inside.
    """
    parents = set()
    for destination in sorted(set(destinations), key=_depth, reverse=True):
        kept, made = _parted(tree, os.fsencode(destination))
        if made:
            _remove(upper_fd, kept, made)
            parents.add(kept)
    for parent in parents:
        with contextlib.suppress(FileNotFoundError, NotADirectoryError):  # the workload's work
            _put_time_back(upper_fd, tree, parent)


def _depth(path: str) -> int:
    return posixpath.normpath(path).count("/")


def _parted(tree: Tree, path: bytes) -> tuple[tuple[bytes, ...], tuple[bytes, ...]]:
    """Return the names that the image has of a path, links followed, and those that it lacks."""
    trail: list[bytes] = []
    rest, followed = path_parts(path), 0
    while rest:
        name = rest.pop()
        if name == b"..":
            del trail[-1:]
            continue
        node = tree.resolve(b"/".join(trail))
        below = None if node is None else tree.lookup(node.ino, name)
        if below is None:
            return tuple(trail), (name, *reversed(rest))
        if not stat.S_ISLNK(below.mode):
            trail.append(name)
            continue
        followed += 1
        if followed > LINKS_MAX:
            break
        if below.target[:1] == b"/":
            trail.clear()
        rest += path_parts(below.target)
    return tuple(trail), ()


def _remove(upper_fd: int, kept: tuple[bytes, ...], made: tuple[bytes, ...]) -> None:
    """Remove what is empty, from the end of the path up."""
    for count in range(len(made), 0, -1):
        try:
            fd = _open(upper_fd, (*kept, *made[: count - 1]))
        except OSError:
            continue
        try:
            if not _remove_empty(fd, made[count - 1]):
                return
        finally:
            os.close(fd)


def _remove_empty(fd: int, name: bytes) -> bool:
    """Remove an empty directory or file; return whether it is gone."""
    try:
        status = os.stat(name, dir_fd=fd, follow_symlinks=False)
    except FileNotFoundError:
        return True
    if stat.S_ISREG(status.st_mode) and status.st_size == 0:
        os.unlink(name, dir_fd=fd)
        return True
    if stat.S_ISDIR(status.st_mode):
        with contextlib.suppress(OSError):  # something is in it
            os.rmdir(name, dir_fd=fd)
            return True
    return False


def _put_time_back(upper_fd: int, tree: Tree, parent: tuple[bytes, ...]) -> None:
    """Give a directory the time that it had, if there is no other reason for a new one."""
    before = tree.resolve(b"/".join(parent))
    if before is None:
        return
    fd = _open(upper_fd, parent)
    try:
        names = {
            os.fsencode(name): os.stat(name, dir_fd=fd, follow_symlinks=False)
            for name in os.listdir(fd)
        }
        were_there = all(tree.lookup(before.ino, name) is not None for name in names)
        if were_there and not any(stat.S_ISCHR(each.st_mode) for each in names.values()):
            os.utime(fd, ns=(before.mtime_ns, before.mtime_ns))
    finally:
        os.close(fd)


def _open(upper_fd: int, parts: tuple[bytes, ...]) -> int:
    path = os.fsdecode(b"/".join(parts)) or "."
    return openat2(upper_fd, path, _DIRECTORY, _BENEATH)
