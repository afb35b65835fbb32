"""Owners as the mount shows them, and as an upperdir keeps those that it cannot store.

A file of an image may belong to an ID that the user namespace lacks. The kernel then shows the
overflow ID, refuses every write to the file and cannot store the owner on copy-up, so such owners
are squashed here, before the kernel sees them.

Where a file system refuses chown or mknod (NFS without the mapping, a user namespace for device
nodes), the intended owner and mode are kept in the extended attribute
`user.containers.override_stat`, the form of containers/storage: `UID:GID:MODE` with the mode in
octal, and since its version 1.56 `:TYPE`, where a device's type carries its numbers
(`:block-8-1`, `:char-1-3`).
"""

import errno
import os
import stat
from collections.abc import Iterable
from dataclasses import dataclass

OVERRIDE_STAT = b"user.containers.override_stat"

_OVERFLOW = 65534

_TYPE_NAMES = {
    stat.S_IFREG: "file",
    stat.S_IFDIR: "dir",
    stat.S_IFLNK: "symlink",
    stat.S_IFIFO: "pipe",
    stat.S_IFSOCK: "socket",
    stat.S_IFBLK: "block",
    stat.S_IFCHR: "char",
}
_TYPE_BITS = {name: bits for bits, name in _TYPE_NAMES.items()}


class Squash(dict[int, int]):
    """The IDs of one kind, UID or GID, as they are shown: itself where mapped, else the overflow.

    A dictionary that fills itself, since an image has few owners and many files.

    Args:
        ranges: Mapped IDs as (first, length); empty: everything is mapped.
        overflow: What the others are shown as.
    """

    _LIMIT = 4096

    def __init__(self, ranges: Iterable[tuple[int, int]], overflow: int) -> None:
        super().__init__()
        self._ranges = tuple(ranges)
        self._overflow = overflow

    def __missing__(self, number: int) -> int:
        mapped = not self._ranges or any(
            first <= number < first + length for first, length in self._ranges
        )
        shown = number if mapped else self._overflow
        if len(self) < self._LIMIT:  # a hostile image can have as many owners as files
            self[number] = shown
        return shown


@dataclass(frozen=True, slots=True)
class IDTranslation:
    """IDs of one kind that are stored as others than they are shown.

    Attributes:
        mapping: Lines (shown, stored, length); empty: every ID is itself.
        squashed: What every ID is shown and stored as; -1 for no such thing.
    """

    mapping: tuple[tuple[int, int, int], ...] = ()
    squashed: int = -1

    def __bool__(self) -> bool:
        return bool(self.mapping) or self.squashed >= 0

    def to_shown(self, stored: int) -> int:
        """Return how a stored ID is shown: the overflow ID where no line has it."""
        if self.squashed >= 0:
            return self.squashed
        for shown, first, length in self.mapping:
            if first <= stored < first + length:
                return shown + stored - first
        return _OVERFLOW if self.mapping else stored

    def to_stored(self, shown: int) -> int:
        """Return how an ID is stored; raises OSError EINVAL where no line has it."""
        if self.squashed >= 0:
            return self.squashed
        for first, stored, length in self.mapping:
            if first <= shown < first + length:
                return stored + shown - first
        if self.mapping:
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
        return shown


@dataclass(frozen=True, slots=True)
class OverrideStat:
    """What the file system under the upperdir could not store.

    Attributes:
        uid: Owner.
        gid: Group.
        mode: Permission bits, and the type where the stored object has another one; type 0
            stands for "as stored".
        rdev: Device number of a device node, else 0.
    """

    uid: int
    gid: int
    mode: int
    rdev: int = 0

    def to_bytes(self) -> bytes:
        """Return the attribute's value."""
        text = f"{self.uid}:{self.gid}:{stat.S_IMODE(self.mode):04o}"
        kind = _TYPE_NAMES.get(stat.S_IFMT(self.mode))
        if kind in ("block", "char"):
            text += f":{kind}-{os.major(self.rdev)}-{os.minor(self.rdev)}"
        elif kind is not None:
            text += f":{kind}"
        return text.encode()

    @classmethod
    def from_bytes(cls, value: bytes) -> "OverrideStat":
        """Read the attribute's value; raises ValueError where it is none."""
        uid, gid, mode, *rest = value.decode("ascii").split(":")
        bits = stat.S_IMODE(int(mode, 8))
        if not rest:
            return cls(int(uid), int(gid), bits)
        kind, *numbers = rest[0].split("-")
        if kind not in _TYPE_BITS:
            raise ValueError(f"unknown file type in override_stat: {kind!r}")
        rdev = os.makedev(int(numbers[0]), int(numbers[1])) if numbers else 0
        return cls(int(uid), int(gid), bits | _TYPE_BITS[kind], rdev)
