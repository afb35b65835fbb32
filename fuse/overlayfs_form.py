"""Whiteouts and opaque directories in the form of the kernel's overlayfs with `userxattr`.

A whiteout is a character device 0/0 (mknod of which needs no privilege since Linux 5.8), an opaque
directory has `user.overlay.opaque`. Where a file system refuses the device node, a whiteout is an
empty file with `user.overlay.whiteout`, in a directory whose `user.overlay.opaque` is `x`; both are
read.
"""

import contextlib
import errno
import os
import stat

from . import xattrs
from .hiding import Move
from .node import Node
from .place import Place
from .renameat2 import WHITEOUT, renameat2
from .stored_attributes import REFUSED
from .upper_files import UpperFiles

SHARED_WHITEOUT = b"#whiteout"
"""Name in the workdir of the device that the whiteouts of a mount are links of."""


def is_whiteout_device(mode: int, rdev: int) -> bool:
    """Return whether a device node would be a whiteout in an upperdir."""
    return stat.S_ISCHR(mode) and rdev == 0


class OverlayfsForm:
    """Hides as overlayfs does.

    Args:
        files: The upperdir's objects.
    """

    def __init__(self, files: UpperFiles) -> None:
        self._files = files
        self._has_devices = True
        self._shared: Place | None = None
        self._number = 0

    def is_whiteout(self, place: Place, status: os.stat_result, *, xattr_form: bool) -> bool:
        """Return whether an object is a device 0/0, or an empty file with the attribute."""
        if stat.S_ISCHR(status.st_mode):
            return is_whiteout_device(status.st_mode, status.st_rdev)
        if not xattr_form or not stat.S_ISREG(status.st_mode) or status.st_size:
            return False
        return self._files.xattr(place, xattrs.WHITEOUT) is not None

    @property
    def shared(self) -> int:
        """The number of the device that the whiteouts of this mount are links of."""
        return self._number

    def whiteout_of(self, name: bytes) -> bytes | None:
        """Return None: every name is an ordinary one."""
        del name
        return None

    def hides(self, place: Place) -> bool:
        """Return False: a whiteout has the name itself."""
        del place
        return False

    def opaque(self, place: Place) -> bytes:
        """Return the attribute's value."""
        return self._files.xattr(place, xattrs.OPAQUE) or b""

    def make_whiteout(self, parent: Node, place: Place, *, is_free: bool) -> None:
        """Put a whiteout in the place of whatever is there."""
        if is_free and self._link(place):
            return
        work = self._files.work_place()
        with self._files.made(work):
            self._make(parent, work, place)
            status = None if is_free else self._files.status(place)
            if status is not None and stat.S_ISDIR(status.st_mode):
                self._files.take_place(work, place)
            else:
                self._files.rename(work, place)

    def make_opaque(self, made: Place, final: Place) -> None:
        """Set the attribute."""
        del final
        self._files.set_xattr(made, xattrs.OPAQUE, b"y", 0)

    def move(self, move: Move) -> None:
        """Rename; a whiteout is left behind in the same step where the file system can."""
        old, new = move.old, move.new
        if move.hides:
            self.make_opaque(old, new)
        in_the_way = self._files.status(new) if move.is_directory else None
        if in_the_way is not None and not stat.S_ISDIR(in_the_way.st_mode):
            self._files.swap(old, new)  # a whiteout: it comes to lie where it may be needed
            if not move.covers:
                os.unlink(old.name, dir_fd=old.fd)
        elif move.covers:
            self._move_leaving_whiteout(move)
        else:
            self._files.rename(old, new)

    def close(self) -> None:
        """Remove the device that the whiteouts are links of."""
        if self._shared is not None:
            with contextlib.suppress(OSError):
                os.unlink(self._shared.name, dir_fd=self._shared.fd)
            self._shared = None
            self._number = 0  # another object may get it

    def _move_leaving_whiteout(self, move: Move) -> None:
        """Rename and hide the old name.

        Without `RENAME_WHITEOUT` the whiteout is made first, for the rename must not be undone for
        want of room, and put into the old place at once after the rename.
        """
        old, new = move.old, move.new
        if self._has_devices:
            try:
                renameat2(old.fd, old.name, new.fd, new.name, WHITEOUT)
            except OSError as error:
                if error.errno not in REFUSED:
                    raise
            else:
                return
        work = self._files.work_place()
        with self._files.made(work):
            self._make(move.parent, work, old)
            self._files.rename(old, new)
            try:
                self._files.rename(work, old)
            except BaseException:
                self._files.rename(new, old)
                raise

    def _make(self, parent: Node, work: Place, place: Place) -> None:
        """Make a whiteout in the workdir, in the form that the file system allows."""
        if self._link(work):
            return
        self._files.make_empty_file(work)
        self._files.set_xattr(work, xattrs.WHITEOUT, b"y", 0)
        here = Place(place.fd, b".")
        if not parent.has_xattr_whiteouts and self._files.xattr(here, xattrs.OPAQUE) is None:
            self._files.set_xattr(here, xattrs.OPAQUE, b"x", 0)
        parent.has_xattr_whiteouts = True

    def _link(self, place: Place) -> bool:
        """Link the one device 0/0 of this mount to an unused name; False where there can be none.

        As kernel overlayfs does: a whiteout costs one system call, and no inode.
        """
        if not self._has_devices:
            return False
        if self._shared is not None:
            try:
                self._files.link(self._shared, place)
            except OSError as error:
                if error.errno != errno.EMLINK:
                    raise
                self.close()
            else:
                return True
        made = self._files.work_place(SHARED_WHITEOUT)
        try:
            os.mknod(made.name, stat.S_IFCHR, 0, dir_fd=made.fd)
        except FileExistsError:
            pass  # of an earlier mount, which could not remove it: the disk was read-only
        except OSError as error:
            if error.errno not in REFUSED:
                raise
            self._has_devices = False
            return False
        self._shared = made
        self._number = os.stat(made.name, dir_fd=made.fd, follow_symlinks=False).st_ino
        self._files.link(made, place)
        return True
