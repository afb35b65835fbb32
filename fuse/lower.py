"""What lies below the upperdir, as the overlay asks for it.

An overlay does not care where its lower tree comes from: layers merged beforehand (`tree_lower`),
a folder of files (`folder_lower`), or several of these on top of each other (`stacked_lower`, which
is made of lowers and is one itself).
"""

import os
from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from .entry import Inode


class Lower(Protocol):
    """A read-only tree of numbered objects.

    An object has the same number whenever it is looked up. What a method is given was returned by
    another method of the same lower. Errors are OSErrors, but for a damaged tree (`Tree`).
    """

    @property
    def root(self) -> Inode:
        """The root directory; its number is the lower's own choice."""

    @property
    def last_ino(self) -> int:
        """No object has a higher number."""

    @property
    def has_xattrs(self) -> bool:
        """Whether any object may have extended attributes."""

    def lookup(self, directory: Inode, name: bytes) -> Inode | None:
        """Return the object of this name in a directory, None where there is none."""

    def names(self, directory: Inode) -> Sequence[bytes]:
        """Return a directory's names, sorted; without the two dots."""

    def readlink(self, inode: Inode) -> bytes:
        """Return a symbolic link's target."""

    def xattrs(self, inode: Inode) -> Mapping[bytes, bytes]:
        """Return an object's extended attributes."""

    def read(self, inode: Inode, offset: int, size: int) -> bytes:
        """Return a part of a regular file: fewer bytes than asked for only at its end."""

    def require(self, inode: Inode, length: int) -> None:
        """Return when the first *length* bytes of a regular file can be copied.

        Raises OSError, `Absent` where they are not there yet, before anything was changed.
        """

    def copy(self, inode: Inode, fd: int, length: int) -> None:
        """Copy the first *length* bytes of a regular file into a new file; holes stay holes."""

    def paths(self, inode: Inode) -> Sequence[bytes]:
        """Return all paths of a file with several links; none where they cannot be known."""

    def home(self, ino: int, directory: int) -> tuple[int, bytes]:
        """Return a directory that has the object of a number, and its name in it.

        Only a lower whose objects are answered for without nodes (`untouched`) has an answer.

        Args:
            ino: The object.
            directory: A guess; 0 for none.

        Raises:
            OSError: ESTALE: there is no such object.
        """

    def statvfs(self) -> os.statvfs_result:
        """Return what df(1) shows of it."""

    def close(self) -> None:
        """Let go of everything; harmless when repeated."""


class Layer(Lower, Protocol):
    """A lower that may lie on top of another one, parts of which it hides (`stacked_lower`)."""

    def hidden(self, directory: Inode) -> Collection[bytes]:
        """Return the names that the layers below must not show in a directory."""

    def is_opaque(self, directory: Inode) -> bool:
        """Return whether a directory hides all that the layers below have in it."""
