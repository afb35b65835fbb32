"""The request handlers of a read-only mount: the merged tree, served as it is.

Each handler is a few lines over the tree; `boundary` turns what they raise into an errno. What is
not here answers ENOSYS, on purpose, as the kernel then stops asking for the whole mount: flush,
fsync, access (the mount option default_permissions lets the kernel check modes itself). The mount
is `ro`, so what would change something arrives only after a remount; it is answered with EROFS.

The tree does not change, so the numbers of its objects serve as file handles too, and `forget` has
nothing to forget.
"""

import errno
import os
from collections.abc import Sequence
from typing import Any

import pyfuse3

from .ahead import Ahead
from .attributes import AttributeMaker, absent, statvfs_answer
from .boundary import bounded
from .contents import TarContents
from .prefetch import Push
from .readdir import ListingCache
from .tree import Inode, Tree
from .tree_lower import tree_statvfs


async def _refuse(*arguments: Any) -> Any:
    """Answer a request that would change something."""
    del arguments
    raise OSError(errno.EROFS, os.strerror(errno.EROFS))


_REFUSE: Any = _refuse  # stands for handlers of many signatures


@bounded
class ReadOnlyOperations(pyfuse3.Operations):
    """Serves a merged tree over its layers' tars."""

    def __init__(
        self, tree: Tree, contents: TarContents, attributes: AttributeMaker, push: Push
    ) -> None:
        super().__init__()
        self._tree = tree
        self._contents = contents
        self._attributes = attributes
        self._listings = ListingCache(tree, attributes.of_lower)
        self._ahead = Ahead(self._listings, contents, push, tree.statistics.inodes)
        self.work = self._ahead.work

    async def lookup(
        self,
        parent_inode: pyfuse3.InodeT,
        name: pyfuse3.FileNameT,
        ctx: pyfuse3.RequestContext,
    ) -> pyfuse3.EntryAttributes:
        """Return a name's attributes; absence too is an answer that the kernel keeps."""
        del ctx
        if name == b".":  # asked by file handle: overlayfs's origin, NFS
            return self._own(parent_inode)
        found = self._listings.lookup(parent_inode, name)
        return absent() if found is None else found

    async def getattr(
        self, inode: pyfuse3.InodeT, ctx: pyfuse3.RequestContext
    ) -> pyfuse3.EntryAttributes:
        """Return an object's attributes."""
        del ctx
        return self._own(inode)

    async def readlink(
        self, inode: pyfuse3.InodeT, ctx: pyfuse3.RequestContext
    ) -> pyfuse3.FileNameT:
        """Return a symbolic link's target."""
        del ctx
        return self._inode(inode).target

    async def opendir(
        self, inode: pyfuse3.InodeT, ctx: pyfuse3.RequestContext
    ) -> pyfuse3.FileHandleT:
        """Open a directory: its handle is its number."""
        del ctx
        return inode

    async def readdir(
        self, fh: pyfuse3.FileHandleT, start_id: int, token: pyfuse3.ReaddirToken
    ) -> None:
        """Give entries with their attributes from a position on, as many as fit."""
        if start_id == 0:
            self._ahead.listed(fh)
        listing = self._listings.listing(fh)
        reply = pyfuse3.readdir_reply
        names, attributes = listing.names, listing.attributes
        for place in range(start_id, len(names)):
            if not reply(token, names[place], attributes[place], place + 1):
                return
        # The two dots come last, where the kernel looks at their number and type only.
        for place, dots in enumerate((b".", b".."), start=len(names)):
            if place >= start_id and not reply(token, dots, self._own(fh), place + 1):
                return

    async def open(
        self, inode: pyfuse3.InodeT, flags: pyfuse3.FlagT, ctx: pyfuse3.RequestContext
    ) -> pyfuse3.FileInfo:
        """Open a file for reading: its handle is its number, its pages stay cached."""
        del ctx
        if flags & (os.O_WRONLY | os.O_RDWR | os.O_TRUNC):
            raise OSError(errno.EROFS, os.strerror(errno.EROFS))
        self._ahead.opened(inode)
        return pyfuse3.FileInfo(fh=inode, keep_cache=True)

    async def read(self, fh: pyfuse3.FileHandleT, off: int, size: int) -> bytes:
        """Read out of the layer's tar."""
        inode = self._inode(fh)
        extents = self._tree.extents(fh) if inode.sparse else ()
        return self._contents.read(inode, extents, off, size)

    async def release(self, fh: pyfuse3.FileHandleT) -> None:
        """Close a file: nothing is held."""

    async def releasedir(self, fh: pyfuse3.FileHandleT) -> None:
        """Close a directory: nothing is held."""

    async def listxattr(
        self, inode: pyfuse3.InodeT, ctx: pyfuse3.RequestContext
    ) -> Sequence[pyfuse3.XAttrNameT]:
        """Return the names of an object's extended attributes."""
        del ctx
        self._require_xattrs()
        return list(self._tree.xattrs(inode))

    async def getxattr(
        self, inode: pyfuse3.InodeT, name: pyfuse3.XAttrNameT, ctx: pyfuse3.RequestContext
    ) -> bytes:
        """Return the value of an extended attribute."""
        del ctx
        self._require_xattrs()
        value = self._tree.xattrs(inode).get(name)
        if value is None:
            raise OSError(errno.ENODATA, os.strerror(errno.ENODATA))
        return value

    async def statfs(self, ctx: pyfuse3.RequestContext) -> pyfuse3.StatvfsData:
        """Return the size of the image; kernel overlayfs refuses a lower that has no answer."""
        del ctx
        return statvfs_answer(tree_statvfs(self._tree))

    setattr = mknod = mkdir = unlink = rmdir = symlink = rename = link = _REFUSE
    write = create = setxattr = removexattr = _REFUSE

    def _own(self, ino: int) -> pyfuse3.EntryAttributes:
        return self._attributes.of_lower(self._inode(ino))

    def _inode(self, ino: int) -> Inode:
        try:
            return self._listings.inode(ino)
        except KeyError:
            raise OSError(errno.ESTALE, os.strerror(errno.ESTALE)) from None

    def _require_xattrs(self) -> None:
        """Answer ENOSYS where the whole tree has none: the kernel never asks again."""
        if not self._tree.has_xattrs:
            raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))
