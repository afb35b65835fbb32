"""What a writable mount offers of what an overlay can do."""

import errno
import os
from dataclasses import dataclass

_ACL = b"system.posix_acl_"


@dataclass(frozen=True, slots=True)
class Features:
    """Choices of whoever mounts.

    Attributes:
        has_xattrs: Extended attributes are shown and taken.
        has_acls: So are POSIX ACLs.
        is_volatile: What is written need not reach the disk: fsync(2) does nothing.
    """

    has_xattrs: bool = True
    has_acls: bool = True
    is_volatile: bool = False

    def require_xattr(self, name: bytes) -> None:
        """Raise OSError where an attribute is not offered; ENOSYS, and the kernel asks no more."""
        if not self.has_xattrs:
            raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))
        if not self.has_acls and name.startswith(_ACL):
            raise OSError(errno.EOPNOTSUPP, os.strerror(errno.EOPNOTSUPP))
