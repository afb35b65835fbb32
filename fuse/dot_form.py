"""Whiteouts and opaque directories for file systems without user xattrs.

`.wh.NAME` says that what the lower tree has under NAME does not show, as in a layer of an OCI
image; fuse-overlayfs writes the same. It may stand beside a NAME of the upperdir's own: a directory
of that name is opaque then, and whatever else it is had hidden the lower object anyway. So nothing
is ever exchanged or replaced to hide something. An opaque directory may also hold `.wh..wh..opq`,
which is read and not written.

Needed is nothing but file names: no extended attributes, no device nodes, no hard links, no
`renameat2`. The price: names that begin with `.wh.` are neither shown nor taken (EPERM), and a
lower name of more than 251 bytes cannot be hidden (ENAMETOOLONG).

An upperdir that was begun in this form keeps it, wherever it is copied: `.wh..wh.rootless` in its
root says so. Every name with that beginning is bookkeeping to readers of layers.
"""

import contextlib
import errno
import os
import stat

from .hiding import Move
from .node import Node
from .overlayfs_form import is_whiteout_device
from .place import Place
from .upper_files import UpperFiles
from .whiteout import DOT_FORM_NOTE, MARK, OPAQUE


class DotForm:
    """Hides as a layer does.

    Args:
        files: The upperdir's objects.
    """

    def __init__(self, files: UpperFiles) -> None:
        self._files = files

    @staticmethod
    def is_used(files: UpperFiles, upperdir_fd: int) -> bool:
        """Return whether an upperdir has this form, or must get it."""
        return not files.has_xattrs or files.status(Place(upperdir_fd, DOT_FORM_NOTE)) is not None

    def begin(self, upperdir_fd: int) -> None:
        """Note the form in the upperdir's root."""
        with contextlib.suppress(FileExistsError):
            try:
                self._files.make_empty_file(Place(upperdir_fd, DOT_FORM_NOTE))
            except OSError as error:
                if error.errno != errno.EROFS:  # nothing will be hidden either
                    raise

    def is_whiteout(self, place: Place, status: os.stat_result, *, xattr_form: bool) -> bool:
        """Return whether an object is a device 0/0: others may have written such."""
        del place, xattr_form
        return is_whiteout_device(status.st_mode, status.st_rdev)

    @property
    def shared(self) -> int:
        """There is none: a whiteout is a name."""
        return 0

    def whiteout_of(self, name: bytes) -> bytes | None:
        """Return what comes after the mark."""
        return name[len(MARK) :] if name.startswith(MARK) else None

    def hides(self, place: Place) -> bool:
        """Return whether the name has a mark beside it."""
        return self._exists(Place(place.fd, MARK + place.name))

    def opaque(self, place: Place) -> bytes:
        """Return `y` where the directory has a mark, beside it or in it."""
        marked = place.name != b"." and self.hides(place)
        return b"y" if marked or self._exists(Place(place.fd, place.name + b"/" + OPAQUE)) else b""

    def make_whiteout(self, parent: Node, place: Place, *, is_free: bool) -> None:
        """Make the mark, then remove what is there: a crash in between shows no lower object."""
        del parent
        self._hide(place)
        if not is_free:
            self._files.discard(place)

    def make_opaque(self, made: Place, final: Place) -> None:
        """Make the mark beside the name that the directory will have."""
        del made
        self._hide(final)

    def move(self, move: Move) -> None:
        """Rename, with the marks that the old and the new name need made before."""
        if move.covers:
            self._hide(move.old)
        hidden = move.hides and self._hide(move.new)
        try:
            self._rename(move)
        except BaseException:
            if hidden:  # the empty directory that was to be replaced is the lower tree's
                os.unlink(MARK + move.new.name, dir_fd=move.new.fd)
            raise

    def close(self) -> None:
        """Do nothing: all marks stay."""

    def _rename(self, move: Move) -> None:
        in_the_way = self._files.status(move.new) if move.is_directory else None
        if in_the_way is not None and not stat.S_ISDIR(in_the_way.st_mode):
            self._files.swap(move.old, move.new)  # another form's whiteout
            self._files.discard(move.old)
        else:
            self._files.rename(move.old, move.new)

    def _hide(self, place: Place) -> bool:
        """Make a mark; return whether there was none."""
        try:
            self._files.make_empty_file(Place(place.fd, MARK + place.name))
        except FileExistsError:
            return False
        return True

    def _exists(self, place: Place) -> bool:
        try:
            return self._files.status(place) is not None
        except OSError as error:
            if error.errno != errno.ENAMETOOLONG:
                raise
            return False  # it can never have got a mark
