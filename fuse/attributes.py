"""From an object's attributes to the kernel's form of them.

The lower tree never changes, and what is above it is changed by this process alone: the kernel may
keep names, attributes and absences for good. It drops by itself what its own requests change.
"""

import os
import stat

import pyfuse3

from . import wire
from .ownership import IDTranslation
from .status import Status


class AttributeMaker:
    """Makes the attributes of an overlay's objects, whose owners are squashed already.

    Args:
        uid_translation: UIDs that are stored as others than shown.
        gid_translation: The same for GIDs.
        static_nlink: Directories have one link.
    """

    def __init__(
        self,
        uid_translation: IDTranslation | None = None,
        gid_translation: IDTranslation | None = None,
        *,
        static_nlink: bool = False,
    ) -> None:
        self.uid_translation = uid_translation or IDTranslation()
        self.gid_translation = gid_translation or IDTranslation()
        self._static_nlink = static_nlink

    def of(self, status: Status) -> wire.Attributes:
        """Return the attributes of an object."""
        uid, gid, nlink = status.uid, status.gid, status.nlink
        if self.uid_translation:
            uid = self.uid_translation.to_shown(uid)
        if self.gid_translation:
            gid = self.gid_translation.to_shown(gid)
        if self._static_nlink and stat.S_ISDIR(status.mode):
            nlink = 1
        times = (status.atime_ns, status.mtime_ns, status.ctime_ns)
        return wire.attributes(
            status.ino,
            status.mode,
            nlink,
            (uid, gid),
            status.size,
            status.blocks,
            times,
            status.rdev,
        )

    def entry(self, status: Status) -> bytes:
        """Return the answer to a look-up of an object."""
        return wire.entry(status.ino, self.of(status))


def statvfs_answer(status: os.statvfs_result) -> pyfuse3.StatvfsData:
    """Return the kernel's form of statvfs(3)."""
    answer = pyfuse3.StatvfsData()
    for field in (
        "f_bsize",
        "f_frsize",
        "f_blocks",
        "f_bfree",
        "f_bavail",
        "f_files",
        "f_ffree",
        "f_favail",
        "f_namemax",
    ):
        setattr(answer, field, getattr(status, field))
    return answer
