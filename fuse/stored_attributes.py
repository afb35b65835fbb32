"""Owner, mode and extended attributes of what lies in an upperdir.

What the file system refuses to store goes to `user.containers.override_stat` (see `ownership`).

Attributes of names have no system calls by descriptor before Linux 6.13, so for those the process
stands in the directory (`fchdir`) and names the file from there; it has one thread.
"""

import contextlib
import errno
import os
import stat

from .ownership import OVERRIDE_STAT, OverrideStat
from .place import Place

REFUSED = (errno.EPERM, errno.EINVAL, errno.EOPNOTSUPP, errno.ENOSYS)
"""What a file system says that cannot store an owner or a kind of object, or a user who may not."""

_NO_XATTRS = (errno.ENODATA, errno.EOPNOTSUPP, errno.EPERM)

_PROBE = b"user.overlay.probe"


class StoredAttributes:
    """Reads and writes the attributes of objects by their places.

    Args:
        has_xattrs: The file system keeps user xattrs.
        keeps_stat_in_xattr: Owner and mode go to the attribute even where they could be stored.

    Attributes:
        may_have_notes: Something may have that attribute already. Where nothing has, nobody asks:
            it would be the most frequent of all system calls here.
    """

    def __init__(self, *, has_xattrs: bool = True, keeps_stat_in_xattr: bool = False) -> None:
        if keeps_stat_in_xattr and not has_xattrs:
            text = "owners cannot go to attributes: the upperdir's file system keeps no user xattrs"
            raise OSError(errno.EOPNOTSUPP, text)
        self.has_xattrs = has_xattrs
        self.keeps_stat_in_xattr = keeps_stat_in_xattr
        self.may_have_notes = True

    def keeps_xattrs(self, place: Place) -> bool:
        """Return whether the file system of a directory keeps user xattrs, by trying it."""
        try:
            self.set_xattr(place, _PROBE, b"", 0)
            self.remove_xattr(place, _PROBE)
        except OSError as error:
            # A full or read-only one, or another's directory, says nothing about attributes.
            return error.errno not in (errno.EOPNOTSUPP, errno.ENOSYS)
        return True

    def set_owner_and_mode(
        self, place: Place, mode: int, uid: int, gid: int, rdev: int, *, is_new: bool = False
    ) -> None:
        """Give an object its owner and mode, in the attribute where the file system refuses.

        Args:
            place: Where it is.
            mode: Type and permissions; the type only matters where it is not the stored one's.
            uid: Owner.
            gid: Group.
            rdev: Device number of a device node.
            is_new: It was made just now, and has no attribute from before.
        """
        status = os.stat(place.name, dir_fd=place.fd, follow_symlinks=False)
        same_kind = stat.S_IFMT(status.st_mode) == stat.S_IFMT(mode)
        can_have_note = stat.S_ISREG(status.st_mode) or stat.S_ISDIR(status.st_mode)
        if self.keeps_stat_in_xattr and can_have_note:
            self._note_stat(place, mode, uid, gid, rdev)
            return
        refused = None
        try:
            if (status.st_uid, status.st_gid) != (uid, gid):
                os.chown(place.name, uid, gid, dir_fd=place.fd, follow_symlinks=False)
            stored = same_kind
        except OSError as error:
            if error.errno not in REFUSED:
                raise
            stored, refused = False, error
        if not stored:
            if not self.has_xattrs:  # what chown(2) said, or mknod(2) before it
                raise refused or PermissionError(errno.EPERM, os.strerror(errno.EPERM))
            self._note_stat(place, mode, uid, gid, rdev)
            return
        # chown(2) takes set-ID bits away, so the mode comes last
        if not stat.S_ISLNK(mode) and (
            stat.S_IMODE(status.st_mode) != stat.S_IMODE(mode)
            or mode & (stat.S_ISUID | stat.S_ISGID)
        ):
            os.chmod(place.name, stat.S_IMODE(mode), dir_fd=place.fd)
        if can_have_note and self.may_have_notes and not is_new:
            with contextlib.suppress(OSError):  # an older note would win over what is stored now
                self.remove_xattr(place, OVERRIDE_STAT)

    def set_owner_and_mode_open(self, fd: int, mode: int, uid: int, gid: int) -> None:
        """Do the same for a new regular file that is open and may have no name."""
        if not self.keeps_stat_in_xattr:
            try:
                os.fchown(fd, uid, gid)
                os.fchmod(fd, mode)
            except OSError as error:
                if error.errno not in REFUSED or not self.has_xattrs:
                    raise
            else:
                return
        note = OverrideStat(uid, gid, stat.S_IFREG | mode, 0).to_bytes()
        os.setxattr(fd, OVERRIDE_STAT, note)
        self.may_have_notes = True

    def _note_stat(self, place: Place, mode: int, uid: int, gid: int, rdev: int) -> None:
        override = OverrideStat(uid, gid, mode, rdev).to_bytes()
        self.set_xattr(place, OVERRIDE_STAT, override, 0)
        self.may_have_notes = True

    def override(self, place: Place, status: os.stat_result) -> OverrideStat | None:
        """Return what the file system could not store of an object; None where it stored all."""
        if not self.may_have_notes:
            return None
        if not (stat.S_ISREG(status.st_mode) or stat.S_ISDIR(status.st_mode)):
            return None  # other kinds cannot have attributes of `user.`
        value = self.xattr(place, OVERRIDE_STAT)
        if value is None:
            return None
        try:
            return OverrideStat.from_bytes(value)
        except ValueError:
            return None  # not written by us, or damaged: what is stored stands

    def xattr(self, place: Place, name: bytes) -> bytes | None:
        """Return an attribute; None where there is none."""
        os.fchdir(place.fd)
        try:
            return os.getxattr(place.name, name, follow_symlinks=False)
        except OSError as error:
            if error.errno in _NO_XATTRS:
                return None
            raise

    def xattr_names(self, place: Place) -> list[bytes]:
        """Return the names of an object's attributes, as they are kept."""
        os.fchdir(place.fd)
        return [os.fsencode(name) for name in os.listxattr(place.name, follow_symlinks=False)]

    def set_xattr(self, place: Place, name: bytes, value: bytes, flags: int) -> None:
        """Set an attribute."""
        os.fchdir(place.fd)
        os.setxattr(place.name, name, value, flags, follow_symlinks=False)

    def remove_xattr(self, place: Place, name: bytes) -> None:
        """Remove an attribute."""
        os.fchdir(place.fd)
        os.removexattr(place.name, name, follow_symlinks=False)
