"""The requests about one object of a writable mount: its attributes, plain and extended.

The other half of the handlers, those for names and for open files, is in `overlay_operations`.
"""

from collections.abc import Sequence

import pyfuse3

from . import change
from .ahead import Ahead
from .attributes import AttributeMaker, statvfs_answer
from .features import Features
from .handles import Handles
from .open_directories import OpenDirectories
from .overlay import Overlay


class ObjectOperations(pyfuse3.Operations):
    """Answers what is asked of objects by number.

    Args:
        overlay: What there is.
        attributes: How it is shown.
        features: What is offered of what an overlay can do.
        ahead: What is done for readers of the lower tree before they ask; None for nothing.
    """

    def __init__(
        self,
        overlay: Overlay,
        attributes: AttributeMaker,
        features: Features | None = None,
        ahead: Ahead | None = None,
    ) -> None:
        super().__init__()
        self._features = features or Features()
        self._ahead = ahead
        self._overlay = overlay
        self._nodes = overlay.nodes
        self._attributes = attributes
        self._handles = Handles(overlay)
        self._directories = OpenDirectories(overlay, attributes)
        self._stored_uid = attributes.uid_translation.to_stored
        self._stored_gid = attributes.gid_translation.to_stored

    async def getattr(
        self, inode: pyfuse3.InodeT, ctx: pyfuse3.RequestContext
    ) -> pyfuse3.EntryAttributes:
        """Return an object's attributes."""
        del ctx
        return self._attributes.of(self._overlay.status(self._nodes.node(inode)))

    async def setattr(
        self,
        inode: pyfuse3.InodeT,
        attr: pyfuse3.EntryAttributes,
        fields: pyfuse3.SetattrFields,
        fh: pyfuse3.FileHandleT | None,
        ctx: pyfuse3.RequestContext,
    ) -> pyfuse3.EntryAttributes:
        """Change mode, owner, size or times."""
        del ctx
        node = self._nodes.node(inode)
        changes = change.Changes(
            mode=attr.st_mode if fields.update_mode else None,
            uid=self._stored_uid(attr.st_uid) if fields.update_uid else None,
            gid=self._stored_gid(attr.st_gid) if fields.update_gid else None,
            size=attr.st_size if fields.update_size else None,
            atime_ns=attr.st_atime_ns if fields.update_atime else None,
            mtime_ns=attr.st_mtime_ns if fields.update_mtime else None,
        )
        change.change(self._overlay, node, changes, -1 if fh is None else self._handles.fd(fh))
        return self._attributes.of(self._overlay.status(node))

    async def readlink(
        self, inode: pyfuse3.InodeT, ctx: pyfuse3.RequestContext
    ) -> pyfuse3.FileNameT:
        """Return a symbolic link's target."""
        del ctx
        return self._overlay.readlink(self._nodes.node(inode))

    async def getxattr(
        self, inode: pyfuse3.InodeT, name: pyfuse3.XAttrNameT, ctx: pyfuse3.RequestContext
    ) -> bytes:
        """Return an extended attribute."""
        del ctx
        self._features.require_xattr(name)
        return change.xattr(self._overlay, self._nodes.node(inode), name)

    async def listxattr(
        self, inode: pyfuse3.InodeT, ctx: pyfuse3.RequestContext
    ) -> Sequence[pyfuse3.XAttrNameT]:
        """Return the names of an object's extended attributes."""
        del ctx
        self._features.require_xattr(b"")
        return change.xattr_names(self._overlay, self._nodes.node(inode))

    async def setxattr(
        self,
        inode: pyfuse3.InodeT,
        name: pyfuse3.XAttrNameT,
        value: bytes,
        ctx: pyfuse3.RequestContext,
    ) -> None:
        """Set an extended attribute."""
        del ctx
        self._features.require_xattr(name)
        change.set_xattr(self._overlay, self._nodes.node(inode), name, value)

    async def removexattr(
        self, inode: pyfuse3.InodeT, name: pyfuse3.XAttrNameT, ctx: pyfuse3.RequestContext
    ) -> None:
        """Remove an extended attribute."""
        del ctx
        self._features.require_xattr(name)
        change.remove_xattr(self._overlay, self._nodes.node(inode), name)

    async def statfs(self, ctx: pyfuse3.RequestContext) -> pyfuse3.StatvfsData:
        """Return the room that there is."""
        del ctx
        return statvfs_answer(self._overlay.statvfs())
