"""A merged tree over its layers' tars, as a `Lower`."""

import errno
import os
import stat
from collections.abc import Collection, Mapping, Sequence

from .contents import TarContents
from .entry import NO_XATTRS, Inode
from .tree import ROOT_INO, Tree
from .xattrs import OPAQUE

_BLOCK_SIZE = 4096


class TreeLower:
    """Layers that were merged beforehand: one look-up, whatever their number.

    Args:
        tree: Names and attributes; closed with this object.
        contents: What is in the files; closed with this object.

    Attributes:
        tree: The same.
        contents: The same.
    """

    def __init__(self, tree: Tree, contents: TarContents) -> None:
        self.tree = tree
        self.contents = contents

    @property
    def root(self) -> Inode:
        """The root directory."""
        return self.tree.inode(ROOT_INO)

    @property
    def last_ino(self) -> int:
        """The number of the last object: they are numbered in a row."""
        return self.tree.statistics.inodes

    @property
    def has_xattrs(self) -> bool:
        """Whether any object has extended attributes."""
        return self.tree.has_xattrs

    def lookup(self, directory: Inode, name: bytes) -> Inode | None:
        """Return the object of this name in a directory, None where there is none."""
        return self.tree.lookup(directory.ino, name)

    def names(self, directory: Inode) -> Sequence[bytes]:
        """Return a directory's names, sorted."""
        return self.tree.dirents(directory.ino)

    def readlink(self, inode: Inode) -> bytes:
        """Return a symbolic link's target."""
        return inode.target

    def xattrs(self, inode: Inode) -> Mapping[bytes, bytes]:
        """Return an object's extended attributes."""
        return self.tree.xattrs(inode.ino) if self.tree.has_xattrs else NO_XATTRS

    def read(self, inode: Inode, offset: int, size: int) -> bytes:
        """Return a part of a regular file: fewer bytes than asked for only at its end."""
        extents = self.tree.extents(inode.ino) if inode.sparse else ()
        return self.contents.read(inode, extents, offset, size)

    def require(self, inode: Inode, length: int) -> None:
        """Return when the first *length* bytes of a regular file can be copied; raises OSError."""
        if self.contents.is_lazy:
            extents = self.tree.extents(inode.ino) if inode.sparse else ()
            self.contents.require(inode, extents, length)

    def copy(self, inode: Inode, fd: int, length: int) -> None:
        """Copy the first *length* bytes of a regular file into a new file; holes stay holes."""
        extents = self.tree.extents(inode.ino) if inode.sparse else ()
        self.contents.copy(inode, extents, fd, length)

    def paths(self, inode: Inode) -> Sequence[bytes]:
        """Return all paths of an object."""
        return [self._path(*each) for each in self.tree.names(inode.ino)]

    def home(self, ino: int, directory: int) -> tuple[int, bytes]:
        """Return a directory that has the object of a number, and its name in it."""
        name = self.tree.name_in(directory, ino) if directory else None
        if name is not None:
            return directory, name
        for parent, found in self.tree.names(ino):
            return parent, found
        raise OSError(errno.ESTALE, os.strerror(errno.ESTALE))

    def _path(self, directory: int, name: bytes) -> bytes:
        parts = [name]
        while directory != ROOT_INO:
            directory, part = self.tree.names(directory)[0]
            parts.append(part)
        return b"/".join(reversed(parts))

    def statvfs(self) -> os.statvfs_result:
        """Return the size of the tree: full, as nothing can be added."""
        return tree_statvfs(self.tree)

    def close(self) -> None:
        """Close the tree and the tars."""
        self.tree.close()
        self.contents.close()


class TreeLayer(TreeLower):
    """A tree that was merged with its whiteouts kept, to lie on top of something else."""

    def names(self, directory: Inode) -> Sequence[bytes]:
        """Return a directory's names, sorted; without the whiteouts."""
        hidden = self.hidden(directory)
        return [name for name in super().names(directory) if name not in hidden]

    def lookup(self, directory: Inode, name: bytes) -> Inode | None:
        """Return the object of this name in a directory, None where there is none."""
        found = super().lookup(directory, name)
        return None if found is None or _is_whiteout(found) else found

    def hidden(self, directory: Inode) -> Collection[bytes]:
        """Return the names that the layers below must not show in a directory."""
        named = self.tree.children(directory.ino)
        return frozenset(name for name, inode in named if _is_whiteout(inode))

    def xattrs(self, inode: Inode) -> Mapping[bytes, bytes]:
        """Return an object's extended attributes, less the note of an opaque directory."""
        found = super().xattrs(inode)
        return {name: value for name, value in found.items() if name != OPAQUE}

    def is_opaque(self, directory: Inode) -> bool:
        """Return whether a directory hides all that the layers below have in it."""
        return OPAQUE in super().xattrs(directory)


def tree_statvfs(tree: Tree) -> os.statvfs_result:
    """Return what df(1) shows of a tree."""
    statistics = tree.statistics
    blocks = (statistics.bytes + _BLOCK_SIZE - 1) // _BLOCK_SIZE
    # f_bsize, f_frsize, f_blocks, f_bfree, f_bavail, f_files, f_ffree, f_favail, f_flag, f_namemax
    numbers = (_BLOCK_SIZE, _BLOCK_SIZE, blocks, 0, 0, statistics.inodes, 0, 0, os.ST_RDONLY, 255)
    return os.statvfs_result(numbers)


def _is_whiteout(inode: Inode) -> bool:
    return stat.S_ISCHR(inode.mode) and inode.rdev == 0
