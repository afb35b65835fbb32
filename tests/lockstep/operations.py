"""The operations: plain frozen values, which do the same on either side.

`apply(side)` makes the system calls and returns what a program would see, for comparison; an error
is raised as OSError. The repr of an operation is the Python that makes it.
"""

import ctypes
import fcntl
import mmap
import os
import stat
from dataclasses import dataclass, fields

from lockstep.side import Cursor, Side, getdents

from fuse.renameat2 import renameat2

_libc = ctypes.CDLL(None, use_errno=True)
_AT_SYMLINK_NOFOLLOW = 0x100

UTIME_NOW = (1 << 30) - 1
UTIME_OMIT = (1 << 30) - 2


@dataclass(frozen=True)
class Operation:
    """What all have: the paths and slots that they name are looked at afterwards."""

    def apply(self, side: Side) -> object:
        """Do it."""
        raise NotImplementedError

    def paths(self) -> list[str]:
        """Return the paths that it names, and the directories that those are in."""
        named = [getattr(self, f.name) for f in fields(self) if f.name in ("path", "old", "new")]
        return [*named, *(path.rpartition("/")[0] for path in named if "/" in path)]

    def slots(self) -> list[int]:
        """Return the slots that it names."""
        return [getattr(self, f.name) for f in fields(self) if f.name in ("slot", "source")]


# Open files


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
    """open(2) with O_TMPFILE."""

    path: str
    mode: int

    def apply(self, side: Side) -> object:  # noqa: D102
        fd, path = side.at(self.path)
        os.close(os.open(path, os.O_TMPFILE | os.O_RDWR, self.mode, dir_fd=fd))
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
        with mmap.mmap(side.fd(self.slot), 0) as memory:
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
    size: int

    def apply(self, side: Side) -> object:  # noqa: D102
        fd = side.fd(self.slot)
        if os.fstat(fd).st_mode & (stat.S_ISUID | stat.S_ISGID) or os.listxattr(fd):
            return (
                None  # Linux takes set-ID bits and capabilities away before it asks a FUSE server
            )
        check(_libc.fallocate(fd, 0, ctypes.c_long(0), ctypes.c_long(self.size)))
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


# Names


@dataclass(frozen=True)
class Unlink(Operation):
    """unlink(2)."""

    path: str

    def apply(self, side: Side) -> object:  # noqa: D102
        fd, path = side.at(self.path)
        os.unlink(path, dir_fd=fd)
        return None


@dataclass(frozen=True)
class RemoveDirectory(Operation):
    """rmdir(2)."""

    path: str

    def apply(self, side: Side) -> object:  # noqa: D102
        fd, path = side.at(self.path)
        os.rmdir(path, dir_fd=fd)
        return None


@dataclass(frozen=True)
class MakeDirectory(Operation):
    """mkdir(2)."""

    path: str
    mode: int

    def apply(self, side: Side) -> object:  # noqa: D102
        fd, path = side.at(self.path)
        os.mkdir(path, self.mode, dir_fd=fd)
        return None


@dataclass(frozen=True)
class MakeNode(Operation):
    """mknod(2): FIFO, socket, file, or the device number of a whiteout."""

    path: str
    mode: int

    def apply(self, side: Side) -> object:  # noqa: D102
        fd, path = side.at(self.path)
        os.mknod(path, self.mode, 0, dir_fd=fd)
        return None


@dataclass(frozen=True)
class Symlink(Operation):
    """symlink(2)."""

    target: str
    path: str

    def apply(self, side: Side) -> object:  # noqa: D102
        fd, path = side.at(self.path)
        os.symlink(self.target, path, dir_fd=fd)
        return None


@dataclass(frozen=True)
class Link(Operation):
    """linkat(2)."""

    old: str
    new: str
    follow: bool

    def apply(self, side: Side) -> object:  # noqa: D102
        (old_fd, old), (new_fd, new) = side.at(self.old), side.at(self.new)
        os.link(old, new, src_dir_fd=old_fd, dst_dir_fd=new_fd, follow_symlinks=self.follow)
        return None


@dataclass(frozen=True)
class Rename(Operation):
    """renameat2(2)."""

    old: str
    new: str
    flags: int

    def apply(self, side: Side) -> object:  # noqa: D102
        (old_fd, old), (new_fd, new) = side.at(self.old), side.at(self.new)
        renameat2(old_fd, os.fsencode(old), new_fd, os.fsencode(new), self.flags)
        return None


# Objects


@dataclass(frozen=True)
class Access(Operation):
    """access(2)."""

    path: str
    mode: int

    def apply(self, side: Side) -> object:  # noqa: D102
        fd, path = side.at(self.path)
        return os.access(path, self.mode, dir_fd=fd, effective_ids=True)


@dataclass(frozen=True)
class Truncate(Operation):
    """truncate(2)."""

    path: str
    size: int

    def apply(self, side: Side) -> object:  # noqa: D102
        os.truncate(side.at(self.path)[1], self.size)
        return None


@dataclass(frozen=True)
class ChangeMode(Operation):
    """chmod(2)."""

    path: str
    mode: int

    def apply(self, side: Side) -> object:  # noqa: D102
        fd, path = side.at(self.path)
        os.chmod(path, self.mode, dir_fd=fd)
        return None


@dataclass(frozen=True)
class ChangeModeOpen(Operation):
    """fchmod(2)."""

    slot: int
    mode: int

    def apply(self, side: Side) -> object:  # noqa: D102
        os.fchmod(side.fd(self.slot), self.mode)
        return None


@dataclass(frozen=True)
class ChangeOwner(Operation):
    """fchownat(2)."""

    path: str
    uid: int
    gid: int
    follow: bool

    def apply(self, side: Side) -> object:  # noqa: D102
        fd, path = side.at(self.path)
        os.chown(path, self.uid, self.gid, dir_fd=fd, follow_symlinks=self.follow)
        return None


@dataclass(frozen=True)
class ChangeOwnerOpen(Operation):
    """fchown(2)."""

    slot: int
    uid: int
    gid: int

    def apply(self, side: Side) -> object:  # noqa: D102
        os.fchown(side.fd(self.slot), self.uid, self.gid)
        return None


class _Timespec(ctypes.Structure):
    _fields_ = (("sec", ctypes.c_long), ("nsec", ctypes.c_long))


def _timespecs(*times: tuple[int, int]) -> object:
    return (_Timespec * 2)(*(_Timespec(*each) for each in times))


@dataclass(frozen=True)
class ChangeTimes(Operation):
    """utimensat(2); the time of access is looked at here, since looking elsewhere changes it."""

    path: str
    atime: tuple[int, int]
    mtime: tuple[int, int]
    follow: bool

    def apply(self, side: Side) -> object:  # noqa: D102
        fd, path = side.at(self.path)
        flags = 0 if self.follow else _AT_SYMLINK_NOFOLLOW
        times = _timespecs(self.atime, self.mtime)
        check(_libc.utimensat(fd, os.fsencode(path), times, flags))
        if self.atime[1] == UTIME_OMIT:
            return None
        return side.time(os.stat(path, dir_fd=fd, follow_symlinks=self.follow).st_atime_ns)


@dataclass(frozen=True)
class ChangeTimesOpen(Operation):
    """futimens(3)."""

    slot: int
    atime: tuple[int, int]
    mtime: tuple[int, int]

    def apply(self, side: Side) -> object:  # noqa: D102
        fd = side.fd(self.slot)
        check(_libc.futimens(fd, _timespecs(self.atime, self.mtime)))
        return None if self.atime[1] == UTIME_OMIT else side.time(os.fstat(fd).st_atime_ns)


@dataclass(frozen=True)
class SetXattr(Operation):
    """setxattr(2)."""

    path: str
    name: str
    value: bytes
    flags: int
    follow: bool

    def apply(self, side: Side) -> object:  # noqa: D102
        path = side.at(self.path)[1]
        os.setxattr(path, self.name, self.value, self.flags, follow_symlinks=self.follow)
        return None


@dataclass(frozen=True)
class SetXattrOpen(Operation):
    """fsetxattr(2)."""

    slot: int
    name: str
    value: bytes
    flags: int

    def apply(self, side: Side) -> object:  # noqa: D102
        os.setxattr(side.fd(self.slot), self.name, self.value, self.flags)
        return None


@dataclass(frozen=True)
class GetXattr(Operation):
    """getxattr(2)."""

    path: str
    name: str

    def apply(self, side: Side) -> object:  # noqa: D102
        return os.getxattr(side.at(self.path)[1], self.name)


@dataclass(frozen=True)
class RemoveXattr(Operation):
    """removexattr(2)."""

    path: str
    name: str
    follow: bool

    def apply(self, side: Side) -> object:  # noqa: D102
        os.removexattr(side.at(self.path)[1], self.name, follow_symlinks=self.follow)
        return None


@dataclass(frozen=True)
class RemoveXattrOpen(Operation):
    """fremovexattr(2)."""

    slot: int
    name: str

    def apply(self, side: Side) -> object:  # noqa: D102
        os.removexattr(side.fd(self.slot), self.name)
        return None


@dataclass(frozen=True)
class StatFileSystem(Operation):
    """statvfs(3): what does not depend on how full the file system is at the moment."""

    path: str

    def apply(self, side: Side) -> object:  # noqa: D102
        found = os.statvfs(side.at(self.path)[1])
        return found.f_bsize, found.f_frsize, found.f_blocks, found.f_files, found.f_namemax


# The program itself


@dataclass(frozen=True)
class Mask(Operation):
    """umask(2)."""

    mask: int

    def apply(self, side: Side) -> object:  # noqa: D102
        side.umask = self.mask
        return None


@dataclass(frozen=True)
class Become(Operation):
    """seteuid(2): another user makes what follows."""

    uid: int

    def apply(self, side: Side) -> object:  # noqa: D102
        os.seteuid(0)
        os.seteuid(self.uid)
        side.user = self.uid
        return None


# The overlay


@dataclass(frozen=True)
class Compare(Operation):
    """Compare the whole trees."""


@dataclass(frozen=True)
class Remount(Operation):
    """Unmount and mount both: what is on disk is all that stays."""


@dataclass(frozen=True)
class Exchange(Operation):
    """Remount, each over the upperdir that the other has written."""


def check(result: int) -> None:
    """Raise the OSError of a C function that returned a failure."""
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
