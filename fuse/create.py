"""New objects: files, directories, links, FIFOs and sockets.

Where a whiteout is in the way, the object is made in the workdir and put in the whiteout's place,
so that the lower object which the whiteout hides is never seen in between. A new directory over
something of the lower tree is opaque.
"""

import contextlib
import errno
import os
import stat
from collections.abc import Callable
from typing import NamedTuple

from .copy_up import copy_up, make_node
from .node import Link, Node
from .overlay import Overlay
from .place import Place
from .upper import is_whiteout_device


class NewObject(NamedTuple):
    """What is asked for.

    Attributes:
        mode: Permissions, for `make_special` the type too.
        uid: Owner.
        gid: Group, unless the directory has a set-GID bit.
        rdev: Device number, for `make_special`.
    """

    mode: int
    uid: int
    gid: int
    rdev: int = 0


def create_file(overlay: Overlay, link: Link, new: NewObject) -> Node:
    """Make an empty regular file."""

    def make(place: Place) -> None:
        flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC
        os.close(os.open(place.name, flags, 0o600, dir_fd=place.fd))

    return _create(overlay, link, _of_kind(new, stat.S_IFREG), make)


def make_directory(overlay: Overlay, link: Link, new: NewObject) -> Node:
    """Make a directory."""

    def make(place: Place) -> None:
        os.mkdir(place.name, 0o700, dir_fd=place.fd)

    return _create(overlay, link, _of_kind(new, stat.S_IFDIR), make)


def make_symlink(overlay: Overlay, link: Link, target: bytes, new: NewObject) -> Node:
    """Make a symbolic link."""

    def make(place: Place) -> None:
        os.symlink(target, place.name, dir_fd=place.fd)

    return _create(overlay, link, _of_kind(new, stat.S_IFLNK), make)


def make_special(overlay: Overlay, link: Link, new: NewObject) -> Node:
    """Make what mknod(2) makes; a regular file too.

    Raises:
        PermissionError: It would be a whiteout; kernel overlayfs refuses it too.
    """
    if stat.S_IFMT(new.mode) in (0, stat.S_IFREG):
        return create_file(overlay, link, new)
    if is_whiteout_device(new.mode, new.rdev):
        raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))

    def make(place: Place) -> None:
        make_node(place, new.mode, new.rdev)

    return _create(overlay, link, new, make)


def make_link(overlay: Overlay, node: Node, link: Link) -> None:
    """Give an object another name."""
    copy_up(overlay, node)
    copy_up(overlay, link.parent)
    origin = overlay.upper.place(node)

    def make(place: Place) -> None:
        overlay.upper.link(origin, place)

    _place_new(overlay, link, make)
    node.add_link(link)


def _of_kind(new: NewObject, kind: int) -> NewObject:
    return new._replace(mode=kind | stat.S_IMODE(new.mode))


def _create(overlay: Overlay, link: Link, new: NewObject, make: Callable[[Place], None]) -> Node:
    copy_up(overlay, link.parent)
    directory = overlay.status(link.parent)
    if directory.mode & stat.S_ISGID:  # BSD group semantics, asked for by the directory's bit
        inherited = stat.S_ISGID if stat.S_ISDIR(new.mode) else 0
        new = new._replace(gid=directory.gid, mode=new.mode | inherited)
    is_opaque = stat.S_ISDIR(new.mode) and overlay.below(link) is not None

    def make_whole(place: Place) -> None:
        make(place)
        overlay.upper.set_owner_and_mode(place, new.mode, new.uid, new.gid, new.rdev, is_new=True)
        if is_opaque:
            overlay.upper.set_opaque(place)

    _place_new(overlay, link, make_whole)
    return overlay.require(link)


def _place_new(overlay: Overlay, link: Link, make: Callable[[Place], None]) -> None:
    """Make an object where there is nothing, or a whiteout."""
    place = overlay.place(link)
    if overlay.upper.status(place) is None:
        _make_or_nothing(overlay, place, make)
        return
    work = overlay.upper.work_place()
    _make_or_nothing(overlay, work, make)
    made = os.stat(work.name, dir_fd=work.fd, follow_symlinks=False)
    if stat.S_ISDIR(made.st_mode):
        overlay.upper.exchange(work, place)
        overlay.upper.discard(work)
    else:
        overlay.upper.rename(work, place)


def _make_or_nothing(overlay: Overlay, place: Place, make: Callable[[Place], None]) -> None:
    try:
        make(place)
    except FileExistsError:
        raise
    except BaseException:
        with contextlib.suppress(OSError):
            overlay.upper.discard(place)
        raise
