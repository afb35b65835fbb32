"""The fast path of a read-only mount: the merged tree, served as it is.

The tree does not change, so the numbers of its objects serve as file handles too, FORGET has
nothing to forget, and directories need not be opened: ENOSYS to the first OPENDIR tells the kernel
to send no more of them, and to keep each directory's entries in its cache.

Files are opened, though it costs a request each: only so do we know which files may have a read
waiting in the queue, and must not have contents pushed into them (`prefetch`).
"""

import errno
import os

from . import wire
from .contents import TarContents
from .fast_path import DONE, FastPath
from .prefetch import Prefetch
from .shown import Shown
from .splice import Piece
from .tree import Tree
from .tree_view import TreeView
from .xattrs import ACLS

_WRITES = os.O_WRONLY | os.O_RDWR | os.O_TRUNC


class TreeFastPath(FastPath):
    """Answers for a merged tree over its layers' tars."""

    def __init__(self, tree: Tree, contents: TarContents, shown: Shown) -> None:
        super().__init__()
        self._tree = tree
        self._tars = contents
        self._view = TreeView(tree, shown)
        if tree.has_any_xattr(ACLS):
            self.wanted |= wire.POSIX_ACL
        self._prefetch = Prefetch(tree, contents, self.store, tree.statistics.inodes)
        self.serve(
            {
                wire.LOOKUP: self._lookup,
                wire.FORGET: self._forget,
                wire.BATCH_FORGET: self._forget,
                wire.GETATTR: self._getattr,
                wire.READLINK: self._readlink,
                wire.OPENDIR: self._opendir,
                wire.READDIRPLUS: self._readdirplus,
                wire.RELEASEDIR: self._release,
                wire.OPEN: self._open,
                wire.READ: self._read,
                wire.RELEASE: self._release,
                wire.GETXATTR: self._getxattr,
                wire.LISTXATTR: self._listxattr,
            }
        )

    def work(self) -> bool:
        """Do a little of what will be asked for; return whether there was anything to do."""
        return self._view.step() or self._prefetch.step()

    def _lookup(self, parent: int, length: int) -> bytes:
        name = self.name(wire.BODY, length)
        if name == b".":  # asked by file handle: overlayfs's origin, NFS
            return self._view.entry(self._view.inode(parent))
        inode = self._view.lookup(parent, name)
        return wire.ABSENT if inode is None else self._view.entry(inode)

    def _forget(self, ino: int, length: int) -> None:
        """Forget nothing: what the tree has, it has for good."""

    def _getattr(self, ino: int, length: int) -> bytes:
        del length
        return wire.attributes_answer(self._view.attributes(self._view.inode(ino)))

    def _readlink(self, ino: int, length: int) -> bytes:
        del length
        return self._view.inode(ino).target

    def _opendir(self, ino: int, length: int) -> int:
        del ino, length
        return errno.ENOSYS

    def _readdirplus(self, ino: int, length: int) -> "bytes | memoryview":
        del length
        _, start, size = wire.READ_IN.unpack_from(self.buffer, wire.BODY)
        return self._view.part(ino, start, size)

    def _open(self, ino: int, length: int) -> bytes | int:
        del length
        flags, _ = wire.OPEN_IN.unpack_from(self.buffer, wire.BODY)
        if flags & _WRITES:
            return errno.EROFS
        self._prefetch.opened(ino, self._view.inode)
        return wire.OPENED.pack(ino, wire.KEEP_CACHE, 0)

    def _read(self, ino: int, length: int) -> Piece | tuple["bytes | memoryview"]:
        del length
        _, offset, size = wire.READ_IN.unpack_from(self.buffer, wire.BODY)
        inode = self._view.inode(ino)
        piece = self._tars.piece(inode, offset, size)
        if piece is not None:
            return piece
        if inode.sparse:
            return (self._tars.read(inode, self._tree.extents(ino), offset, size),)
        room = self.contents(size)
        return (room[: self._tars.read_into(inode, offset, room)],)

    def _release(self, ino: int, length: int) -> bytes:
        del ino, length
        return DONE

    def _getxattr(self, ino: int, length: int) -> bytes | int:
        if not self._tree.has_xattrs:
            return errno.ENOSYS  # the kernel never asks again
        name = self.name(wire.BODY + wire.GETXATTR_IN.size, length)
        value = self._tree.xattrs(ino).get(name)
        return errno.ENODATA if value is None else self.xattr_answer(value)

    def _listxattr(self, ino: int, length: int) -> bytes | int:
        del length
        if not self._tree.has_xattrs:
            return errno.ENOSYS
        return self.xattr_answer(wire.names_list(self._tree.xattrs(ino)))
