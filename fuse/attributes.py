"""From an object's attributes to the kernel's form of them, timeouts included.

The lower tree never changes, and what is above it is changed by this process alone: the kernel may
keep names, attributes and absences for good. It drops by itself what its own requests change.
"""

import pyfuse3

from .ownership import Squash
from .tree import Inode

FOREVER = 365 * 86400.0

_BLOCK = 512  # the unit of st_blocks, whatever the file system's own
_SECONDS_MAX = 2**62


class AttributeMaker:
    """Makes `EntryAttributes`, with owners as the mount shows them."""

    def __init__(self, uids: Squash, gids: Squash) -> None:
        self._uids = uids
        self._gids = gids

    def of(self, inode: Inode) -> pyfuse3.EntryAttributes:
        """Return the attributes of an object of the lower tree."""
        entry = pyfuse3.EntryAttributes()
        entry.st_ino = inode.ino
        entry.st_mode = inode.mode
        entry.st_nlink = inode.nlink
        entry.st_uid = self._uids[inode.uid]
        entry.st_gid = self._gids[inode.gid]
        entry.st_rdev = inode.rdev
        size = len(inode.target) if inode.target else inode.size
        entry.st_size = size
        entry.st_blocks = (size + _BLOCK - 1) // _BLOCK
        entry.st_atime_ns = entry.st_ctime_ns = entry.st_mtime_ns = representable(inode.mtime_ns)
        entry.entry_timeout = entry.attr_timeout = FOREVER
        return entry


def absent() -> pyfuse3.EntryAttributes:
    """Return the answer "there is no such name", which the kernel may keep (inode number 0)."""
    entry = pyfuse3.EntryAttributes()
    entry.st_ino = 0
    entry.entry_timeout = FOREVER
    return entry


def representable(time_ns: int) -> int:
    """Return a time that fits the kernel's 64-bit seconds: an archive's may be any number."""
    limit = _SECONDS_MAX * 10**9
    return max(-limit, min(time_ns, limit))
