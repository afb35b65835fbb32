"""Operations on an object itself: mode, owner, times, extended attributes."""

import ctypes
import os
import stat
from dataclasses import dataclass

from lockstep.operation import Operation, check
from lockstep.side import Side, attempt

_libc = ctypes.CDLL(None, use_errno=True)
_AT_SYMLINK_NOFOLLOW = 0x100

UTIME_NOW = (1 << 30) - 1
UTIME_OMIT = (1 << 30) - 2


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
        path = side.at(self.path)[1]
        if attempt(lambda: _file_size(path)) != self.size:
            os.truncate(path, self.size)
        return None


def _file_size(path: str) -> int:
    """Return the size of a regular file, -1 of anything else."""
    status = os.stat(path)
    return status.st_size if stat.S_ISREG(status.st_mode) else -1


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
        path = side.at(self.path)[1]
        if not _is_acl_of_set_group_id(side, self.name, path, follow=self.follow):
            os.removexattr(path, self.name, follow_symlinks=self.follow)
        return None


@dataclass(frozen=True)
class RemoveXattrOpen(Operation):
    """fremovexattr(2)."""

    slot: int
    name: str

    def apply(self, side: Side) -> object:  # noqa: D102
        if not _is_acl_of_set_group_id(side, self.name, side.fd(self.slot)):
            os.removexattr(side.fd(self.slot), self.name)
        return None


def _is_acl_of_set_group_id(side: Side, name: str, path: str | int, *, follow: bool = True) -> bool:
    """Tell whether a user would remove the ACL of what has a set-group-ID bit: see DIFFERENCES."""
    if name != "system.posix_acl_access" or not side.user:
        return False
    found = attempt(lambda: os.stat(path, follow_symlinks=follow).st_mode & stat.S_ISGID)
    return found == stat.S_ISGID


@dataclass(frozen=True)
class StatFileSystem(Operation):
    """statvfs(3): what does not depend on how full the file system is at the moment."""

    path: str

    def apply(self, side: Side) -> object:  # noqa: D102
        found = os.statvfs(side.at(self.path)[1])
        return found.f_bsize, found.f_frsize, found.f_blocks, found.f_files, found.f_namemax
