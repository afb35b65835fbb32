"""Random operations, mostly on what is there: names that exist, slots that are open.

Not drawn by hypothesis: most of its draws named what is not there, and many were the same, so that
12,000 of them found nothing where 5,000 of these found eight differences. A sequence is one seed's,
and to shrink it needs no more than the list: every operation does something on its own.
"""

import fcntl
import os
import random
import stat
import struct
from collections.abc import Callable, Mapping, Sequence

from images import CAP_NET_RAW
from lockstep import operations as do
from lockstep.lowers import NAMES

from fuse.renameat2 import EXCHANGE, NOREPLACE, WHITEOUT

SLOTS = 3

_MODES = (0o644, 0o644, 0o600, 0o777, 0o755, 0o4755, 0o2775, 0o1777, 0, 0o6711)
_SIZES = (0, 1, 5, 511, 4096, 5000, 10_000)
_OFFSETS = (0, 1, 7, 4095, 4096, 9000, 70_000)
_ACCESS = (os.O_RDONLY, os.O_RDWR, os.O_RDWR, os.O_WRONLY)
_FLAGS = (os.O_CREAT, os.O_CREAT, os.O_TRUNC, os.O_APPEND, os.O_EXCL, os.O_NOFOLLOW, os.O_SYNC)
_KINDS = (stat.S_IFIFO, stat.S_IFSOCK, stat.S_IFREG, stat.S_IFCHR)
_RENAMES = (0, 0, 0, 0, NOREPLACE, EXCHANGE, EXCHANGE, WHITEOUT)
_TARGETS = ("a", "../a", "/b/c", "a/b", "nowhere", ".", "x" * 300)
_XATTRS = (
    *("user.a", "user.a", "user.a", "user.b", "user.overlay.opaque", "user.overlay.x", "trusted.a"),
    *("security.capability", "security.other", "system.posix_acl_access", "other.a"),
)
_VALUES = (b"", b"y", b"v" * 300, CAP_NET_RAW)
_ACL_NAMES = ("system.posix_acl_access", "system.posix_acl_default", "system.posix_acl_default")
_USER_OBJ, _USER, _GROUP_OBJ, _GROUP, _MASK, _OTHER = 1, 2, 4, 8, 16, 32
_NO_ID = 0xFFFFFFFF
_ACLS = (  # entries of (tag, permissions, ID)
    ((_USER_OBJ, 6, _NO_ID), (_GROUP_OBJ, 4, _NO_ID), (_OTHER, 0, _NO_ID)),
    (
        *((_USER_OBJ, 7, _NO_ID), (_USER, 5, 0), (_GROUP_OBJ, 7, _NO_ID)),
        *((_MASK, 5, _NO_ID), (_OTHER, 1, _NO_ID)),
    ),
    (
        *((_USER_OBJ, 7, _NO_ID), (_GROUP_OBJ, 0, _NO_ID), (_GROUP, 7, 0)),
        *((_MASK, 3, _NO_ID), (_OTHER, 4, _NO_ID)),
    ),
)
# FALLOC_FL_KEEP_SIZE, and with it PUNCH_HOLE; ZERO_RANGE; none that only some file systems have
_ALLOCATE = (0, 1, 1 | 2, 16)
_XATTR_FLAGS = (0, 0, os.XATTR_CREATE, os.XATTR_REPLACE)
_TIMES = ((0, do.UTIME_NOW), (0, do.UTIME_OMIT), (0, 0), (1000, 1), (2_000_000, 999_999_999))
_ODD = ("", ".", "a/..", "a/", "b/a/..", "a" * 255, "a" * 256, "..")


class Generator:
    """Draws operations from a source of randomness.

    Args:
        source: Decides everything.
        single_id: Whether the user namespace has one ID only, and so one user.
    """

    def __init__(self, source: random.Random, *, single_id: bool) -> None:
        self._one = source.choice
        self._chance = source.random
        self._below = source.randrange
        self._ids = (0, -1) if single_id else (0, 1, 1000, -1, 65534)
        self._users = (0,) if single_id else (0, 0, 0, 1000)
        self._paths: Sequence[str] = ()
        self._directories: Sequence[str] = ()
        self._open: Sequence[int] = ()
        self._makers: Mapping[Callable[[], do.Operation], int] = {
            self._of_names: 36,
            self._of_files: 30,
            self._of_objects: 18,
            self._open_file: 12,
            self._of_program: 4,
        }

    def know(self, paths: Mapping[str, bool], slots: Sequence[int]) -> None:
        """Note which paths exist, with whether they are directories, and which slots are open."""
        self._paths = [path for path in paths if path != "."]
        self._directories = [path for path, is_directory in paths.items() if is_directory]
        self._open = slots

    def operation(self) -> do.Operation:
        """Draw one."""
        names, weights = zip(*self._makers.items(), strict=True)
        place = self._below(sum(weights))
        for make, weight in zip(names, weights, strict=True):
            place -= weight
            if place < 0:
                return make()
        raise AssertionError

    def _path(self) -> str:
        """Draw a path, mostly of something that exists."""
        chance = self._chance()
        if chance < 0.70 and self._paths:
            return self._one(self._paths)
        return self._new() if chance < 0.93 else self._odd()

    def _new(self) -> str:
        """Draw a name in a directory, mostly; it may be taken."""
        if self._chance() < 0.07:
            return self._odd()
        folder = self._one(self._directories) if self._directories else "."
        return f"{folder}/{self._one(NAMES)}".removeprefix("./")

    def _odd(self) -> str:
        if self._chance() < 0.4:
            return self._one(_ODD)
        return f"@{self._slot()}/{self._one(('', *NAMES))}".rstrip("/")

    def _slot(self) -> int:
        if self._open and self._chance() < 0.97:
            return self._one(self._open)
        return self._below(SLOTS)

    def _byte(self) -> int:
        return 65 + self._below(26)

    def _flag(self) -> bool:
        return self._chance() < 0.5

    def _open_file(self) -> do.Operation:
        slot, path = self._below(SLOTS), self._path()
        if self._chance() < 0.2:
            folder = self._one(self._directories) if self._directories else "."
            return do.Open(slot, folder, os.O_RDONLY | os.O_DIRECTORY, 0)
        flags = self._one(_ACCESS)
        for _ in range(self._below(3)):
            flags |= self._one(_FLAGS)
        return do.Open(slot, path, flags, self._one(_MODES))

    def _of_names(self) -> do.Operation:
        path, new = self._path, self._new
        return self._one(
            (
                lambda: do.Unlink(path()),
                lambda: do.Unlink(path()),
                lambda: do.RemoveDirectory(path()),
                lambda: do.MakeDirectory(new(), self._one(_MODES)),
                lambda: do.MakeDirectory(new(), 0o755),
                lambda: do.MakeNode(new(), self._one(_KINDS) | self._one(_MODES)),
                lambda: do.Symlink(self._one(_TARGETS), new()),
                lambda: do.Link(path(), new(), self._flag()),
                lambda: do.Rename(path(), new(), self._one(_RENAMES)),
                lambda: do.Rename(path(), path(), self._one(_RENAMES)),
                lambda: do.Rename(path(), new(), 0),
                lambda: do.OpenTemporary(self._slot(), path(), self._one(_MODES)),
            )
        )()

    def _of_objects(self) -> do.Operation:
        path, ids, name = self._path, self._ids, self._one(_XATTRS)
        follow = self._flag()
        return self._one(
            (
                lambda: do.Access(path(), self._below(8)),
                lambda: do.Truncate(path(), self._one(_SIZES)),
                lambda: do.ChangeMode(path(), self._one(_MODES)),
                lambda: do.ChangeOwner(path(), self._one(ids), self._one(ids), follow),
                lambda: do.ChangeTimes(path(), self._one(_TIMES), self._one(_TIMES), follow),
                lambda: do.SetXattr(
                    path(), name, self._one(_VALUES), self._one(_XATTR_FLAGS), follow
                ),
                lambda: do.SetXattr(path(), name, self._one(_VALUES), 0, follow),
                lambda: do.GetXattr(path(), name),
                lambda: do.RemoveXattr(path(), name, follow),
                lambda: do.SetXattr(path(), self._one(_ACL_NAMES), self._acl(), 0, follow),
                lambda: do.RemoveXattr(path(), self._one(_ACL_NAMES), follow),
            )
        )()

    def _of_files(self) -> do.Operation:
        slot, size, offset = self._slot(), self._one(_SIZES), self._one(_OFFSETS)
        name, ids = self._one(_XATTRS), self._ids
        flags = self._one(_XATTR_FLAGS)
        return self._one(
            (
                lambda: do.Close(slot),
                lambda: do.Read(slot, size),
                lambda: do.ReadAt(slot, offset, size),
                lambda: do.Write(slot, size, self._byte()),
                lambda: do.WriteAt(slot, offset, size, self._byte()),
                lambda: do.Seek(slot, offset, self._below(3)),
                lambda: do.SeekHole(slot, offset, self._one((os.SEEK_DATA, os.SEEK_HOLE))),
                lambda: do.TruncateOpen(slot, size),
                lambda: do.Map(slot, offset, size, self._byte()),
                lambda: do.CopyRange(self._slot(), slot, size, offset),
                lambda: do.Allocate(slot, offset, size, self._one(_ALLOCATE)),
                lambda: do.LinkOpen(slot, self._path()),
                lambda: do.Sync(slot, self._flag()),
                lambda: do.Lock(slot, self._one((fcntl.LOCK_SH, fcntl.LOCK_EX, fcntl.LOCK_UN))),
                lambda: do.Drop(slot),
                lambda: do.ReadDirectory(slot, self._below(3) + 1),
                lambda: do.ReadDirectory(slot, self._below(3) + 1),
                lambda: do.ChangeModeOpen(slot, self._one(_MODES)),
                lambda: do.ChangeOwnerOpen(slot, self._one(ids), self._one(ids)),
                lambda: do.ChangeTimesOpen(slot, self._one(_TIMES), self._one(_TIMES)),
                lambda: do.SetXattrOpen(slot, name, self._one(_VALUES), flags),
                lambda: do.RemoveXattrOpen(slot, name),
                lambda: do.SetXattrOpen(slot, self._one(_ACL_NAMES), self._acl(), 0),
            )
        )()

    def _acl(self) -> bytes:
        """Return an ACL as extended attributes have it (linux/posix_acl_xattr.h)."""
        entries = (struct.pack("<HHI", *entry) for entry in self._one(_ACLS))
        return struct.pack("<I", 2) + b"".join(entries)

    def _of_program(self) -> do.Operation:
        return self._one(
            (
                lambda: do.Mask(self._one((0, 0o22, 0o77))),
                lambda: do.Become(self._one(self._users)),
                do.Compare,
                do.Remount,
                do.Exchange,
                lambda: do.StatFileSystem(self._path()),
            )
        )()
