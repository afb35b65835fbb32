"""What pyfuse3 answers on a writable mount: the requests that the fast path leaves to it.

Each translates and delegates; `boundary` turns what is raised into an errno. flush answers ENOSYS,
as there is nothing to write at close(2); the kernel then stops asking.
"""

import pyfuse3

from . import change
from .attributes import statvfs_answer
from .boundary import bounded
from .node import Link
from .rename import rename
from .served import Served


@bounded
class OverlayOperations(pyfuse3.Operations):
    """Renames, the end of extended attributes, and the room that there is."""

    def __init__(self, served: Served) -> None:
        super().__init__()
        self._overlay = served.overlay
        self._features = served.features

    async def rename(  # noqa: PLR0917 - pyfuse3's signature
        self,
        parent_inode_old: pyfuse3.InodeT,
        name_old: pyfuse3.FileNameT,
        parent_inode_new: pyfuse3.InodeT,
        name_new: pyfuse3.FileNameT,
        flags: pyfuse3.FlagT,
        ctx: pyfuse3.RequestContext,
    ) -> None:
        """Rename, replace or exchange."""
        del ctx
        self._overlay.changes += 1
        old = Link(self._overlay.node(parent_inode_old), name_old)
        new = Link(self._overlay.node(parent_inode_new), name_new)
        rename(self._overlay, old, new, flags)

    async def removexattr(
        self, inode: pyfuse3.InodeT, name: pyfuse3.XAttrNameT, ctx: pyfuse3.RequestContext
    ) -> None:
        """Remove an extended attribute."""
        del ctx
        self._features.require_xattr(name)
        change.remove_xattr(self._overlay, self._overlay.node(inode), name)

    async def statfs(self, ctx: pyfuse3.RequestContext) -> pyfuse3.StatvfsData:
        """Return the room that there is."""
        del ctx
        return statvfs_answer(self._overlay.statvfs())
