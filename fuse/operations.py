"""What pyfuse3 answers on a read-only mount: the few requests that `tree_fast_path` leaves to it.

What is not here answers ENOSYS, on purpose, as the kernel then stops asking for the whole mount:
flush, fsync, access (the mount option default_permissions lets the kernel check modes itself). The
mount is `ro`, so what would change something arrives only after a remount; it is answered with
EROFS.
"""

import errno
import os
from typing import Any

import pyfuse3

from .attributes import statvfs_answer
from .boundary import bounded
from .tree import Tree
from .tree_lower import tree_statvfs


async def _refuse(*arguments: Any) -> Any:
    """Answer a request that would change something."""
    del arguments
    raise OSError(errno.EROFS, os.strerror(errno.EROFS))


_REFUSE: Any = _refuse  # stands for handlers of many signatures


@bounded
class ReadOnlyOperations(pyfuse3.Operations):
    """The size of a merged tree, and no to all changes."""

    def __init__(self, tree: Tree) -> None:
        super().__init__()
        self._tree = tree

    async def statfs(self, ctx: pyfuse3.RequestContext) -> pyfuse3.StatvfsData:
        """Return the size of the image; kernel overlayfs refuses a lower that has no answer."""
        del ctx
        return statvfs_answer(tree_statvfs(self._tree))

    setattr = mknod = mkdir = unlink = rmdir = symlink = rename = link = _REFUSE
    write = create = setxattr = removexattr = _REFUSE
