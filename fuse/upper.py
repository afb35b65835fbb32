"""The upperdir and the workdir, reached by descriptor only.

The form on disk is the kernel overlayfs's with `userxattr`: a whiteout is a character device 0/0
(mknod of which needs no privilege since Linux 5.8), an opaque directory has `user.overlay.opaque`.
Where a file system refuses the device node, a whiteout is an empty file with
`user.overlay.whiteout`, in a directory whose `user.overlay.opaque` is `x`; both are read.

Whatever replaces something is made in the workdir and renamed into place, so that a crash leaves
the old or the new and never a half of either.

Paths are never resolved: a directory is opened from its parent's descriptor by one name, without
following links, so nothing can lead out of the upperdir or through the mount.
"""

import contextlib
import errno
import os
import shutil
import stat
from collections import OrderedDict

from . import xattrs
from .node import ROOT_INO, Node
from .ownership import OVERRIDE_STAT
from .place import Place
from .renameat2 import EXCHANGE, WHITEOUT, renameat2
from .stored_attributes import REFUSED, StoredAttributes

SHARED_WHITEOUT = b"#whiteout"
"""Name in the workdir of the device that the whiteouts of a mount are links of."""

_DIRECTORIES_KEPT = 256
_PATH = os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC


def is_whiteout_device(mode: int, rdev: int) -> bool:
    """Return whether a device node would be a whiteout in an upperdir."""
    return stat.S_ISCHR(mode) and rdev == 0


class Upper(StoredAttributes):
    """One upperdir with its workdir.

    Args:
        upperdir_fd: Descriptor of the upperdir.
        workdir_fd: Descriptor of the workdir, on the same file system, used by nobody else.
        keeps_stat_in_xattr: Owner and mode go to the attribute even where they could be stored.
    """

    def __init__(
        self, upperdir_fd: int, workdir_fd: int, *, keeps_stat_in_xattr: bool = False
    ) -> None:
        super().__init__(keeps_stat_in_xattr=keeps_stat_in_xattr)
        self._root_fd = upperdir_fd
        self._work_fd = workdir_fd
        self._directories: OrderedDict[Node, int] = OrderedDict()
        self._serial = 0
        self._has_device_whiteouts = True
        self._whiteout: Place | None = None
        self._clean_workdir()
        root = Place(upperdir_fd, b".")
        self.may_have_notes = bool(self.names(upperdir_fd)) or (
            self.xattr(root, OVERRIDE_STAT) is not None
        )

    def root_status(self) -> os.stat_result:
        """Return the upperdir's own status."""
        return os.fstat(self._root_fd)

    def statvfs(self) -> os.statvfs_result:
        """Return how much room the file system has."""
        return os.fstatvfs(self._root_fd)

    def close(self) -> None:
        """Close the directories; the upperdir and the workdir themselves are the caller's."""
        self._drop_whiteout()
        while self._directories:
            os.close(self._directories.popitem()[1])

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

    def leave(self, node: Node) -> None:
        """Close the descriptor of a directory that is going away."""
        fd = self._directories.pop(node, -1)
        if fd >= 0:
            os.close(fd)

    def sync(self, node: Node) -> None:
        """Bring a directory's names to the disk."""
        fd = self.directory(node)
        readable = os.open(b".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=fd)
        try:
            os.fsync(readable)
        finally:
            os.close(readable)

    def names(self, fd: int) -> list[bytes]:
        """Return the names in a directory."""
        readable = os.open(b".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=fd)
        try:
            return [os.fsencode(name) for name in os.listdir(readable)]
        finally:
            os.close(readable)

    def status(self, place: Place) -> os.stat_result | None:
        """Return the status of what is at a place; None where nothing is."""
        try:
            return os.stat(place.name, dir_fd=place.fd, follow_symlinks=False)
        except FileNotFoundError:
            return None

    # Whiteouts and opaque directories

    def is_whiteout(self, place: Place, status: os.stat_result, *, xattr_form: bool) -> bool:
        """Return whether an object of the upperdir says "there is nothing here"."""
        if stat.S_ISCHR(status.st_mode):
            return is_whiteout_device(status.st_mode, status.st_rdev)
        if not xattr_form or not stat.S_ISREG(status.st_mode) or status.st_size:
            return False
        return self.xattr(place, xattrs.WHITEOUT) is not None

    def make_whiteout(self, parent: Node, place: Place, *, is_free: bool = False) -> None:
        """Put a whiteout in the place of whatever is there, a directory included.

        Args:
            parent: The directory.
            place: The name in it.
            is_free: There is nothing.
        """
        if is_free and self._link_whiteout(place):
            return
        work = self._new_whiteout(parent, place)
        status = None if is_free else self.status(place)
        if status is not None and stat.S_ISDIR(status.st_mode):
            self.exchange(work, place)
            self.discard(work)
        else:
            self.rename(work, place)

    def move_leaving_whiteout(self, parent: Node, old: Place, new: Place) -> None:
        """Rename, leaving a whiteout behind; in one step where the file system can."""
        if self._has_device_whiteouts:
            try:
                renameat2(old.fd, old.name, new.fd, new.name, WHITEOUT)
            except OSError as error:
                if error.errno not in REFUSED:
                    raise
            else:
                return
        self.rename(old, new)
        self.make_whiteout(parent, old)

    def set_opaque(self, place: Place) -> None:
        """Say that a directory hides what lies below it."""
        self.set_xattr(place, xattrs.OPAQUE, b"y", 0)

    def clear(self, place: Place) -> None:
        """Remove the whiteouts in a directory that shows nothing; it must be opaque by now."""
        fd = os.open(place.name, _PATH | os.O_DIRECTORY, dir_fd=place.fd)
        try:
            for name in self.names(fd):
                os.unlink(name, dir_fd=fd)
        finally:
            os.close(fd)

    def _new_whiteout(self, parent: Node, place: Place) -> Place:
        """Make a whiteout in the workdir, in the form that the file system allows."""
        work = self.work_place()
        if self._link_whiteout(work):
            return work
        flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC
        os.close(os.open(work.name, flags, 0o600, dir_fd=work.fd))
        self.set_xattr(work, xattrs.WHITEOUT, b"y", 0)
        here = Place(place.fd, b".")
        if not parent.has_xattr_whiteouts and self.xattr(here, xattrs.OPAQUE) is None:
            self.set_xattr(here, xattrs.OPAQUE, b"x", 0)
        parent.has_xattr_whiteouts = True
        return work

    def _link_whiteout(self, place: Place) -> bool:
        """Link the one device 0/0 of this mount to an unused name; False where there can be none.

        As kernel overlayfs does: a whiteout costs one system call, and no inode.
        """
        if not self._has_device_whiteouts:
            return False
        if self._whiteout is not None:
            try:
                self.link(self._whiteout, place)
            except OSError as error:
                if error.errno != errno.EMLINK:
                    raise
                self._drop_whiteout()
            else:
                return True
        made = Place(self._work_fd, SHARED_WHITEOUT)
        try:
            os.mknod(made.name, stat.S_IFCHR, 0, dir_fd=made.fd)
        except OSError as error:
            if error.errno not in REFUSED:
                raise
            self._has_device_whiteouts = False
            return False
        self._whiteout = made
        self.link(made, place)
        return True

    def _drop_whiteout(self) -> None:
        if self._whiteout is not None:
            with contextlib.suppress(OSError):
                os.unlink(self._whiteout.name, dir_fd=self._whiteout.fd)
            self._whiteout = None

    # The workdir, and what leaves it

    def work_place(self) -> Place:
        """Return an unused place in the workdir."""
        self._serial += 1
        return Place(self._work_fd, b"#%x" % self._serial)

    def rename(self, old: Place, new: Place) -> None:
        """Rename within the file system, replacing what is there."""
        os.rename(old.name, new.name, src_dir_fd=old.fd, dst_dir_fd=new.fd)

    def link(self, origin: Place, place: Place) -> None:
        """Give an object another name; of a symbolic link too the link itself."""
        os.link(
            origin.name,
            place.name,
            src_dir_fd=origin.fd,
            dst_dir_fd=place.fd,
            follow_symlinks=False,
        )

    def exchange(self, one: Place, other: Place) -> None:
        """Exchange two objects."""
        renameat2(one.fd, one.name, other.fd, other.name, EXCHANGE)

    def discard(self, place: Place) -> None:
        """Remove an object of the workdir, with the whiteouts in it if it is a directory."""
        status = self.status(place)
        if status is None:
            return
        if stat.S_ISDIR(status.st_mode):
            self.clear(place)
            os.rmdir(place.name, dir_fd=place.fd)
        else:
            os.unlink(place.name, dir_fd=place.fd)

    def _clean_workdir(self) -> None:
        """Remove what a server that was killed left in the workdir."""
        for name in self.names(self._work_fd):
            if not name.startswith(b"#"):
                continue
            with contextlib.suppress(OSError):
                os.unlink(name, dir_fd=self._work_fd)
                continue
            shutil.rmtree(name, dir_fd=self._work_fd, ignore_errors=True)
