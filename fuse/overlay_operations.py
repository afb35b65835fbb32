"""The request handlers of a writable mount: from the kernel's requests to the overlay's verbs.

Each translates and delegates; `boundary` turns what is raised into an errno. This process makes all
changes, so names and attributes are valid for good, as on the read-only mount: the kernel drops by
itself what its own requests change, and no other ones come.

flush answers ENOSYS, as there is nothing to write at close(2); the kernel then stops asking.
"""

import os
from collections.abc import Sequence
from functools import partial

import pyfuse3

from . import create, remove
from .attributes import absent
from .boundary import bounded
from .copy_up import link_late
from .create import NewObject
from .node import Link, Node
from .object_operations import ObjectOperations
from .rename import rename


@bounded
class OverlayOperations(ObjectOperations):
    """Serves a lower tree with an upperdir over it."""

    # Names

    async def lookup(
        self,
        parent_inode: pyfuse3.InodeT,
        name: pyfuse3.FileNameT,
        ctx: pyfuse3.RequestContext,
    ) -> pyfuse3.EntryAttributes:
        """Return a name's attributes; absence too is an answer that the kernel keeps."""
        del ctx
        self._overlay.trim()
        parent = self._nodes.node(parent_inode)
        node = parent if name == b"." else self._overlay.find(Link(parent, name))
        if self._overlay.late_links:
            link_late(self._overlay)
        return absent() if node is None else self._tell(node)

    async def forget(self, inode_list: Sequence[tuple[pyfuse3.InodeT, int]]) -> None:
        """Take back lookups."""
        for ino, lookups in inode_list:
            self._nodes.forget(ino, lookups)

    async def opendir(
        self, inode: pyfuse3.InodeT, ctx: pyfuse3.RequestContext
    ) -> pyfuse3.FileHandleT:
        """Open a directory."""
        del ctx
        node = self._nodes.node(inode)
        if self._ahead is not None and node.lower is not None:
            self._ahead.listed(node.lower.ino)
        return self._directories.open(node)

    async def readdir(
        self, fh: pyfuse3.FileHandleT, start_id: int, token: pyfuse3.ReaddirToken
    ) -> None:
        """Give entries with their attributes, as many as fit."""
        self._overlay.trim()
        self._directories.read(fh, start_id, partial(pyfuse3.readdir_reply, token))

    async def releasedir(self, fh: pyfuse3.FileHandleT) -> None:
        """Close a directory."""
        self._directories.close(fh)

    # New names, names that go

    async def create(
        self,
        parent_inode: pyfuse3.InodeT,
        name: pyfuse3.FileNameT,
        mode: pyfuse3.ModeT,
        flags: pyfuse3.FlagT,
        ctx: pyfuse3.RequestContext,
    ) -> tuple[pyfuse3.FileInfo, pyfuse3.EntryAttributes]:
        """Make a file and open it."""
        link = self._link(parent_inode, name)
        kept = flags & (os.O_SYNC | os.O_DSYNC)
        node, fd, stored = create.create_file(self._overlay, link, self._new(ctx, mode), kept)
        info = pyfuse3.FileInfo(fh=self._handles.add(node, fd), keep_cache=True)
        entry = self._attributes.of(
            self._overlay.upper_status(node, stored, self._overlay.place(link))
        )
        node.lookups += 1
        return info, entry

    async def mkdir(
        self,
        parent_inode: pyfuse3.InodeT,
        name: pyfuse3.FileNameT,
        mode: pyfuse3.ModeT,
        ctx: pyfuse3.RequestContext,
    ) -> pyfuse3.EntryAttributes:
        """Make a directory."""
        link = self._link(parent_inode, name)
        return self._tell(create.make_directory(self._overlay, link, self._new(ctx, mode)))

    async def mknod(
        self,
        parent_inode: pyfuse3.InodeT,
        name: pyfuse3.FileNameT,
        mode: pyfuse3.ModeT,
        rdev: int,
        ctx: pyfuse3.RequestContext,
    ) -> pyfuse3.EntryAttributes:
        """Make a FIFO, a socket, a file."""
        link = self._link(parent_inode, name)
        return self._tell(create.make_special(self._overlay, link, self._new(ctx, mode, rdev)))

    async def symlink(
        self,
        parent_inode: pyfuse3.InodeT,
        name: pyfuse3.FileNameT,
        target: pyfuse3.FileNameT,
        ctx: pyfuse3.RequestContext,
    ) -> pyfuse3.EntryAttributes:
        """Make a symbolic link."""
        link = self._link(parent_inode, name)
        return self._tell(create.make_symlink(self._overlay, link, target, self._new(ctx, 0o777)))

    async def link(
        self,
        inode: pyfuse3.InodeT,
        new_parent_inode: pyfuse3.InodeT,
        new_name: pyfuse3.FileNameT,
        ctx: pyfuse3.RequestContext,
    ) -> pyfuse3.EntryAttributes:
        """Make a hard link."""
        del ctx
        node = self._nodes.node(inode)
        create.make_link(self._overlay, node, self._link(new_parent_inode, new_name))
        return self._tell(node)

    async def unlink(
        self, parent_inode: pyfuse3.InodeT, name: pyfuse3.FileNameT, ctx: pyfuse3.RequestContext
    ) -> None:
        """Remove a name."""
        del ctx
        remove.unlink(self._overlay, self._link(parent_inode, name))

    async def rmdir(
        self, parent_inode: pyfuse3.InodeT, name: pyfuse3.FileNameT, ctx: pyfuse3.RequestContext
    ) -> None:
        """Remove a directory."""
        del ctx
        remove.rmdir(self._overlay, self._link(parent_inode, name))

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
        old = self._link(parent_inode_old, name_old)
        rename(self._overlay, old, self._link(parent_inode_new, name_new), flags)

    # Open files

    async def open(
        self, inode: pyfuse3.InodeT, flags: pyfuse3.FlagT, ctx: pyfuse3.RequestContext
    ) -> pyfuse3.FileInfo:
        """Open a file."""
        del ctx
        node = self._nodes.node(inode)
        if self._ahead is not None and not node.is_upper:
            self._ahead.opened(inode)
        number = self._handles.open(node, flags)
        return pyfuse3.FileInfo(fh=number, keep_cache=not flags & os.O_TRUNC)

    async def read(self, fh: pyfuse3.FileHandleT, off: int, size: int) -> bytes:
        """Read."""
        return self._handles.read(fh, off, size)

    async def write(self, fh: pyfuse3.FileHandleT, off: int, buf: bytes) -> int:
        """Write."""
        return self._handles.write(fh, off, buf)

    async def fsync(self, fh: pyfuse3.FileHandleT, datasync: bool) -> None:  # noqa: FBT001 - pyfuse3's signature
        """Bring a file to the disk."""
        if self._features.is_volatile:
            return
        self._handles.sync(fh, contents_only=datasync)

    async def release(self, fh: pyfuse3.FileHandleT) -> None:
        """Close a file."""
        self._handles.close(fh)

    def _link(self, parent_inode: int, name: bytes) -> Link:
        return Link(self._nodes.node(parent_inode), name)

    def _new(self, ctx: pyfuse3.RequestContext, mode: int, rdev: int = 0) -> NewObject:
        return NewObject(mode, self._stored_uid(ctx.uid), self._stored_gid(ctx.gid), rdev)

    def _tell(self, node: Node) -> pyfuse3.EntryAttributes:
        """Return a node's attributes in an answer that counts as a lookup."""
        entry = self._attributes.of(self._overlay.status(node))
        node.lookups += 1
        return entry
