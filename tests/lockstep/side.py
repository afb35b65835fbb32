"""One of the two file systems under the same operations: entered by chroot, seen in full.

A side keeps what a program would keep: open files in numbered slots, a umask, a user. All paths are
the program's own, resolved inside (chroot(2)), so that a link to `/a` or `../..` of an image leads
nowhere else. A path `@2/name` begins in the directory that slot 2 holds open.
"""

import contextlib
import ctypes
import errno
import os
import stat
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

_libc = ctypes.CDLL(None, use_errno=True)
_READ = os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC

NOW = "now"


class Entry(NamedTuple):
    """One entry of a directory as getdents64(2) gives it."""

    name: bytes
    kind: int
    next: int


@dataclass(slots=True)
class Cursor:
    """A reading of a directory under way.

    Attributes:
        seen: What it gave so far.
        stayed: What was there at its beginning and at every step since.
    """

    seen: set[bytes] = field(default_factory=set)
    stayed: set[bytes] | None = None

    def note(self, names: set[bytes]) -> None:
        """Note what is there now."""
        self.stayed = names if self.stayed is None else self.stayed & names

    def take(self, names: list[bytes], *, is_end: bool, strict: bool) -> None:
        """Note what the reading gave; strictly, fail where something comes twice or is left out."""
        twice = self.seen.intersection(names)
        assert not (strict and twice), f"came twice: {twice}"
        self.seen.update(names)
        missing = (self.stayed or set()) - self.seen if is_end else set()
        assert not (strict and missing), f"was there all the time, and did not come: {missing}"


@dataclass(slots=True)
class Side:
    """One file system.

    Attributes:
        root: Where it is mounted.
        is_ours: Whether it is the one that is judged.
        counts_links: Whether the number of a file's names is compared.
        began_ns: Times from here on are those of the operations, and compared as "now".
        fds: Open files by slot.
    """

    root: Path
    is_ours: bool
    began_ns: int = 0
    counts_links: bool = True
    fds: dict[int, int] = field(default_factory=dict)
    cursors: dict[int, Cursor] = field(default_factory=dict)
    umask: int = 0
    user: int = 0
    root_fd: int = -1

    def open_root(self) -> None:
        """Take hold of the mounted tree."""
        self.root_fd = os.open(self.root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)

    def close(self) -> None:
        """Let go of everything, so that it can be unmounted."""
        for slot in list(self.fds):
            self.close_slot(slot)
        if self.root_fd >= 0:
            os.close(self.root_fd)
            self.root_fd = -1

    def close_slot(self, slot: int) -> None:
        """Close an open file; nothing to do where there is none."""
        fd = self.fds.pop(slot, -1)
        self.cursors.pop(slot, None)
        if fd >= 0:
            os.close(fd)

    def fd(self, slot: int) -> int:
        """Return an open file; raises OSError EBADF where the slot is empty."""
        if slot not in self.fds:
            raise OSError(errno.EBADF, os.strerror(errno.EBADF))
        return self.fds[slot]

    def at(self, path: str) -> tuple[int, str]:
        """Return where a path begins and what is left of it; the process comes to stand there."""
        fd = self.root_fd
        if path.startswith("@"):
            slot, _, path = path[1:].partition("/")
            fd = self.fd(int(slot))
        os.fchdir(fd)
        return fd, path or "."

    @contextlib.contextmanager
    def entered(self, *, as_user: bool = True) -> Iterator[None]:
        """Make the tree this process's root."""
        host = os.open("/", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        mask = os.umask(self.umask if as_user else 0)
        try:
            os.fchdir(self.root_fd)
            os.chroot(".")
            if as_user and self.user:
                os.seteuid(self.user)
            yield
        finally:
            os.seteuid(0)
            os.fchdir(host)
            os.chroot(".")
            os.umask(mask)
            os.close(host)

    def time(self, time_ns: int) -> int | str:
        """Return a time as it is compared."""
        return NOW if self._is_now(time_ns) else time_ns

    def _is_now(self, time_ns: int) -> bool:
        """Tell whether a time is one of the operations'; an image may come from the future."""
        return self.began_ns <= time_ns <= time.time_ns()


class Seen(NamedTuple):
    """All of an object that must be equal on both sides; None where it means nothing."""

    mode: int
    uid: int
    gid: int
    nlink: int | None
    size: int | None
    mtime: int | str
    rdev: int
    contents: object
    target: object
    xattrs: object
    entries: object


def seen(side: Side, name: str | bytes) -> Seen:
    """Look at an object by its name; raises OSError where it is not there."""
    status = os.lstat(name)
    kind = stat.S_IFMT(status.st_mode)
    is_directory = kind == stat.S_IFDIR
    return Seen(
        status.st_mode,
        status.st_uid,
        status.st_gid,
        status.st_nlink if side.counts_links and not is_directory else None,
        status.st_size if kind in (stat.S_IFREG, stat.S_IFLNK) else None,
        side.time(status.st_mtime_ns),
        status.st_rdev,
        attempt(lambda: contents(name)) if kind == stat.S_IFREG else None,
        attempt(lambda: os.readlink(name)) if kind == stat.S_IFLNK else None,
        attempt(lambda: xattrs(name)),
        attempt(lambda: listed(name)) if is_directory else None,
    )


def seen_by_fd(side: Side, fd: int) -> Seen:
    """Look at an open object, whether or not it has a name."""
    status = os.fstat(fd)
    kind = stat.S_IFMT(status.st_mode)
    return Seen(
        status.st_mode,
        status.st_uid,
        status.st_gid,
        None,  # overlayfs counts a lower file's name that another was renamed to
        status.st_size if kind in (stat.S_IFREG, stat.S_IFLNK) else None,
        side.time(status.st_mtime_ns),
        status.st_rdev,
        attempt(lambda: os.pread(fd, 1 << 20, 0)) if kind == stat.S_IFREG else None,
        None,
        attempt(lambda: xattrs(fd)),
        None,
    )


def attempt(act: Callable[[], object]) -> object:
    """Return what a call returns, or the name of the error that it raises."""
    try:
        return act()
    except OSError as error:
        return errno.errorcode[error.errno or 0]
    except (ValueError, IndexError) as error:  # mmap checks by itself
        return type(error).__name__


def contents(name: str | bytes) -> bytes:
    """Return the contents of a regular file."""
    fd = os.open(name, _READ)
    try:
        return os.read(fd, 1 << 20)
    finally:
        os.close(fd)


def xattrs(name: str | bytes | int) -> tuple[tuple[str, bytes], ...]:
    """Return the extended attributes."""
    follow = isinstance(name, int)
    names = os.listxattr(name, follow_symlinks=follow)
    return tuple(sorted((each, os.getxattr(name, each, follow_symlinks=follow)) for each in names))


def listed(name: str | bytes) -> tuple[tuple[str, str], ...]:
    """Return a directory's names, each with the type that the directory itself tells."""
    fd = os.open(name, _READ | os.O_DIRECTORY)
    try:
        found = []
        while entries := getdents(fd):
            found += [(os.fsdecode(e.name), e.kind) for e in entries]
        return tuple(sorted((n, _KINDS[kind]) for n, kind in found if n not in (".", "..")))
    finally:
        os.close(fd)


_KINDS = {
    0: "unknown",
    1: "fifo",
    2: "char",
    4: "dir",
    6: "block",
    8: "file",
    10: "link",
    12: "socket",
}


def getdents(fd: int, size: int = 4096) -> list[Entry]:
    """Read entries of a directory from its position on."""
    buffer = ctypes.create_string_buffer(size)
    length = _libc.getdents64(fd, buffer, size)
    if length < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    entries = []
    raw = buffer.raw
    place = 0
    while place < length:
        size = int.from_bytes(raw[place + 16 : place + 18], "little")
        position = int.from_bytes(raw[place + 8 : place + 16], "little", signed=True)
        name = raw[place + 19 : place + size].split(b"\0", 1)[0]
        entries.append(Entry(name, raw[place + 18], position))
        place += size
    return entries


def whole(side: Side) -> dict[str, Seen]:
    """Look at everything, from the root down; names of one file are found by their number."""
    found: dict[str, Seen] = {}
    stack = ["."]
    while stack:
        path = stack.pop()
        found[path] = seen(side, path)
        if stat.S_ISDIR(found[path].mode) and not isinstance(found[path].entries, str):
            stack += [f"{path}/{name}" for name, _ in found[path].entries]  # type: ignore[attr-defined]
    return found


def same_file(paths: Iterable[str]) -> set[tuple[str, ...]]:
    """Return which paths are names of one file."""
    groups: dict[tuple[int, int], list[str]] = {}
    for path in paths:
        status = os.lstat(path)
        groups.setdefault((status.st_dev, status.st_ino), []).append(path)
    return {tuple(sorted(group)) for group in groups.values() if len(group) > 1}
