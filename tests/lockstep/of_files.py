"""Operations on open files."""

import ctypes
import fcntl
import mmap
import os
import stat
from dataclasses import dataclass

from lockstep.operation import Operation, check
from lockstep.side import Cursor, Side, getdents

_libc = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True)
class Open(Operation):
    """open(2) into a slot; never blocks at a FIFO."""

    slot: int
    path: str
    flags: int
    mode: int

    def apply(self, side: Side) -> object:  # noqa: D102
        side.close_slot(self.slot)
        fd, path = side.at(self.path)
        flags = self.flags | os.O_NONBLOCK | os.O_CLOEXEC
        side.fds[self.slot] = os.open(path, flags, self.mode, dir_fd=fd)
        return None


@dataclass(frozen=True)
class OpenTemporary(Operation):
    """open(2) with O_TMPFILE into a slot."""

    slot: int
    path: str
    mode: int

    def apply(self, side: Side) -> object:  # noqa: D102
        side.close_slot(self.slot)
        fd, path = side.at(self.path)
        flags = os.O_TMPFILE | os.O_RDWR | os.O_CLOEXEC
        side.fds[self.slot] = os.open(path, flags, self.mode, dir_fd=fd)
        return None


@dataclass(frozen=True)
class LinkOpen(Operation):
    """linkat(2) of an open file, by its link in /proc."""

    slot: int
    new: str

    def apply(self, side: Side) -> object:  # noqa: D102
        new_fd, new = side.at(self.new)
        os.link(f"/proc/self/fd/{side.fd(self.slot)}", new, dst_dir_fd=new_fd, follow_symlinks=True)
        return None


@dataclass(frozen=True)
class Close(Operation):
    """close(2)."""

    slot: int

    def apply(self, side: Side) -> object:  # noqa: D102
        side.fd(self.slot)
        side.close_slot(self.slot)
        return None


@dataclass(frozen=True)
class Read(Operation):
    """read(2), where the file stands."""

    slot: int
    size: int

    def apply(self, side: Side) -> object:  # noqa: D102
        fd = side.fd(self.slot)
        if stat.S_ISDIR(os.fstat(fd).st_mode):
            return None  # the error depends on the position, which is each file system's own
        return os.read(fd, self.size)


@dataclass(frozen=True)
class ReadAt(Operation):
    """pread(2)."""

    slot: int
    offset: int
    size: int

    def apply(self, side: Side) -> object:  # noqa: D102
        return os.pread(side.fd(self.slot), self.size, self.offset)


@dataclass(frozen=True)
class Write(Operation):
    """write(2), where the file stands, or at its end."""

    slot: int
    size: int
    byte: int

    def apply(self, side: Side) -> object:  # noqa: D102
        return os.write(side.fd(self.slot), bytes([self.byte]) * self.size)


@dataclass(frozen=True)
class WriteAt(Operation):
    """pwrite(2)."""

    slot: int
    offset: int
    size: int
    byte: int

    def apply(self, side: Side) -> object:  # noqa: D102
        return os.pwrite(side.fd(self.slot), bytes([self.byte]) * self.size, self.offset)


@dataclass(frozen=True)
class Seek(Operation):
    """lseek(2) to a position, or to the end."""

    slot: int
    offset: int
    whence: int

    def apply(self, side: Side) -> object:  # noqa: D102
        fd = side.fd(self.slot)
        if stat.S_ISDIR(os.fstat(fd).st_mode):
            return None  # positions in a directory are each file system's own
        return os.lseek(fd, self.offset, self.whence)


@dataclass(frozen=True)
class SeekHole(Operation):
    """lseek(2) with SEEK_DATA or SEEK_HOLE; the position is put back."""

    slot: int
    offset: int
    whence: int

    def apply(self, side: Side) -> object:  # noqa: D102
        fd = side.fd(self.slot)
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            return None
        before = os.lseek(fd, 0, os.SEEK_CUR)
        try:
            os.lseek(fd, self.offset, self.whence)
        except OSError:
            if self.offset >= os.fstat(fd).st_size:
                raise
        finally:
            os.lseek(fd, before, os.SEEK_SET)
        return None  # which holes are told is a documented difference


@dataclass(frozen=True)
class TruncateOpen(Operation):
    """ftruncate(2)."""

    slot: int
    size: int

    def apply(self, side: Side) -> object:  # noqa: D102
        os.ftruncate(side.fd(self.slot), self.size)
        return None


@dataclass(frozen=True)
class Map(Operation):
    """mmap(2), shared, and a write to the memory."""

    slot: int
    offset: int
    size: int
    byte: int

    def apply(self, side: Side) -> object:  # noqa: D102
        fd = side.fd(self.slot)
        if _is_privileged(fd):
            return None  # a documented difference
        with mmap.mmap(fd, 0) as memory:
            memory[self.offset : self.offset + self.size] = bytes([self.byte]) * self.size
            memory.flush()
        return None


@dataclass(frozen=True)
class CopyRange(Operation):
    """copy_file_range(2) between two open files."""

    source: int
    slot: int
    size: int
    offset: int

    def apply(self, side: Side) -> object:  # noqa: D102
        source, target = side.fd(self.source), side.fd(self.slot)
        return os.copy_file_range(source, target, self.size, 0, self.offset)


@dataclass(frozen=True)
class Allocate(Operation):
    """fallocate(2)."""

    slot: int
    offset: int
    size: int
    mode: int

    def apply(self, side: Side) -> object:  # noqa: D102
        fd = side.fd(self.slot)
        if _is_privileged(fd):
            return None  # Linux takes the privileges away before it asks a FUSE server
        offset, size = ctypes.c_long(self.offset), ctypes.c_long(self.size)
        check(_libc.fallocate(fd, self.mode, offset, size))
        return None


@dataclass(frozen=True)
class Sync(Operation):
    """fsync(2) or fdatasync(2)."""

    slot: int
    contents_only: bool

    def apply(self, side: Side) -> object:  # noqa: D102
        (os.fdatasync if self.contents_only else os.fsync)(side.fd(self.slot))
        return None


@dataclass(frozen=True)
class Lock(Operation):
    """flock(2), without waiting."""

    slot: int
    kind: int

    def apply(self, side: Side) -> object:  # noqa: D102
        fcntl.flock(side.fd(self.slot), self.kind | fcntl.LOCK_NB)
        return None


@dataclass(frozen=True)
class Drop(Operation):
    """posix_fadvise(2): pages of a file are dropped, the next read asks again."""

    slot: int

    def apply(self, side: Side) -> object:  # noqa: D102
        fd = side.fd(self.slot)
        os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
        return None


@dataclass(frozen=True)
class ReadDirectory(Operation):
    """getdents64(2) and lseek(2): some entries, from where the reading stands.

    Which entries come when is each file system's own. What must hold: nothing comes twice, and what
    was there all the time comes.
    """

    slot: int
    count: int

    def apply(self, side: Side) -> object:  # noqa: D102
        fd = side.fd(self.slot)
        cursor = side.cursors.setdefault(self.slot, Cursor())
        entries = getdents(fd)
        cursor.note(_names(fd))
        taken = entries[: self.count]
        cursor.take([entry.name for entry in taken], is_end=not entries, strict=side.is_ours)
        if taken:
            os.lseek(fd, taken[-1].next, os.SEEK_SET)
        else:
            os.lseek(fd, 0, os.SEEK_SET)
            del side.cursors[self.slot]
        return None


def _names(directory: int) -> set[bytes]:
    """Return what is in an open directory, without moving its position."""
    fd = os.open(".", os.O_RDONLY | os.O_DIRECTORY, dir_fd=directory)
    try:
        return {os.fsencode(name) for name in os.listdir(fd)}
    finally:
        os.close(fd)


def _is_privileged(fd: int) -> bool:
    """Tell whether a write may take something away: set-ID bits, capabilities."""
    return bool(os.fstat(fd).st_mode & (stat.S_ISUID | stat.S_ISGID) or os.listxattr(fd))
