"""The upperdir and the workdir, reached by descriptor only.

The form on disk is the kernel overlayfs's with `userxattr` (`overlayfs_form`), on a file system
without user xattrs that of a layer (`dot_form`).

Paths are never resolved: a directory is opened from its parent's descriptor by one name, without
following links, so nothing can lead out of the upperdir or through the mount.
"""

import errno
import logging
import os
from collections import OrderedDict

from .dot_form import DotForm
from .hiding import Hiding
from .node import ROOT_INO, Node
from .overlayfs_form import OverlayfsForm
from .ownership import OVERRIDE_STAT
from .place import Place
from .upper_files import UpperFiles
from .whiteout import DOT_FORM_NOTE

log = logging.getLogger(__name__)

_DIRECTORIES_KEPT = 256
_PATH = os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC


class Upper(UpperFiles):
    """One upperdir with its workdir.

    Args:
        upperdir_fd: Descriptor of the upperdir.
        workdir_fd: Descriptor of the workdir, on the same file system, used by nobody else.
        keeps_stat_in_xattr: Owner and mode go to the attribute even where they could be stored.

    Attributes:
        hiding: How it says what of the lower tree is not there.
        reserves_names: Some names stand for that, and nothing else can have them.
        is_new: Nothing was ever written to it.
    """

    def __init__(
        self, upperdir_fd: int, workdir_fd: int, *, keeps_stat_in_xattr: bool = False
    ) -> None:
        super().__init__(workdir_fd, keeps_stat_in_xattr=keeps_stat_in_xattr)
        self._root_fd = upperdir_fd
        self._directories: OrderedDict[Node, int] = OrderedDict()
        self.reserves_names = DotForm.is_used(self, upperdir_fd)
        root = Place(upperdir_fd, b".")
        self.is_new = not set(self.names(upperdir_fd)) - {DOT_FORM_NOTE}
        self.may_have_notes = self.has_xattrs and (
            not self.is_new or self.xattr(root, OVERRIDE_STAT) is not None
        )
        self.hiding = self._form()

    def _form(self) -> Hiding:
        if not self.reserves_names:
            return OverlayfsForm(self)
        form = DotForm(self)
        form.begin(self._root_fd)
        if not self.has_xattrs:
            log.warning(
                "the upperdir's file system keeps no user xattrs: a file of a layer loses its "
                "extended attributes when it is changed"
            )
        return form

    def root_status(self) -> os.stat_result:
        """Return the upperdir's own status."""
        return os.fstat(self._root_fd)

    def statvfs(self) -> os.statvfs_result:
        """Return how much room the file system has."""
        return os.fstatvfs(self._root_fd)

    def close(self) -> None:
        """Close the directories; the upperdir and the workdir themselves are the caller's."""
        self.hiding.close()
        while self._directories:
            os.close(self._directories.popitem()[1])

    def require_free(self, name: bytes) -> None:
        """Raise OSError EPERM for a name that stands for something else."""
        if self.hiding.whiteout_of(name) is not None:
            raise OSError(errno.EPERM, os.strerror(errno.EPERM))

    # Where things are

    def directory(self, node: Node) -> int:
        """Return a descriptor of a directory; it stays good until `trim` is called."""
        fd = self._directories.get(node)
        if fd is not None:
            self._directories.move_to_end(node)
            return fd
        missing = []
        while node not in self._directories and node.links:
            missing.append(node)
            node = node.links[0].parent
        fd = self._directories.get(node, self._root_fd)
        for each in reversed(missing):
            fd = os.open(each.links[0].name, _PATH | os.O_DIRECTORY, dir_fd=fd)
            self._directories[each] = fd
        return fd

    def place(self, node: Node) -> Place:
        """Return where a node is by its first name."""
        if not node.links:
            if node.ino == ROOT_INO:
                return Place(self._root_fd, b".")
            raise OSError(errno.ENOENT, os.strerror(errno.ENOENT))
        parent, name = node.links[0]
        return Place(self.directory(parent), name)

    def trim(self) -> None:
        """Close directories that were not used lately; called between two requests."""
        while len(self._directories) > _DIRECTORIES_KEPT:
            _, fd = self._directories.popitem(last=False)
            os.close(fd)

    def sync(self, node: Node) -> None:
        """Bring a directory's names to the disk."""
        flags = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
        fd = os.open(b".", flags, dir_fd=self.directory(node))
        try:
            os.fsync(fd)
        finally:
            os.close(fd)

    def leave(self, node: Node) -> None:
        """Close the descriptor of a directory that is going away."""
        fd = self._directories.pop(node, -1)
        if fd >= 0:
            os.close(fd)
