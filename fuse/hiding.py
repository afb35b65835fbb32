"""How an upperdir says that something of the lower tree is not there: one of two forms.

`overlayfs_form` is the kernel's, for every file system with user xattrs; `dot_form` needs nothing
but names, for those without.
"""

import os
from typing import NamedTuple, Protocol

from .node import Node
from .place import Place


class Move(NamedTuple):
    """A rename in the upperdir.

    Attributes:
        parent: The directory that the object leaves.
        old: Its place.
        new: The place that it gets; a directory there is empty.
        is_directory: Whether it is one.
        covers: The lower tree has something under the old name, which must not show.
        hides: It is a directory, and the lower tree has something under the new name.
    """

    parent: Node
    old: Place
    new: Place
    is_directory: bool
    covers: bool
    hides: bool


class Hiding(Protocol):
    """A form."""

    def is_whiteout(self, place: Place, status: os.stat_result, *, xattr_form: bool) -> bool:
        """Return whether an object of the upperdir says "there is nothing here"."""

    @property
    def shared(self) -> int:
        """The number of an object all of whose names are whiteouts; 0 where there is none."""

    def whiteout_of(self, name: bytes) -> bytes | None:
        """Return the name that an object of such a name hides; None for an ordinary name."""

    def hides(self, place: Place) -> bool:
        """Return whether a name that the upperdir has not is hidden."""

    def opaque(self, place: Place) -> bytes:
        """Return what a directory says of itself: `y`, it hides all that lies below it; `x`,
        regular files in it may be whiteouts.
        """  # noqa: D205 - the letters need their words

    def make_whiteout(self, parent: Node, place: Place, *, is_free: bool) -> None:
        """Put a whiteout in the place of whatever is there, a directory included.

        Args:
            parent: The directory.
            place: The name in it.
            is_free: There is nothing.
        """

    def make_opaque(self, made: Place, final: Place) -> None:
        """Say that a directory hides what lies below it.

        Args:
            made: Where it is.
            final: Where it will be.
        """

    def move(self, move: Move) -> None:
        """Rename, in one step where the file system can."""

    def close(self) -> None:
        """Remove what is needed for as long as the mount only."""
