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
from .overlayfs_form import is_whiteout_device
from .place import Place

_NEW_FILE = os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


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


class Created(NamedTuple):
    """A new file.

    Attributes:
        node: Its node.
        fd: Descriptor for reading and writing it; the caller's.
        status: Its status in the upperdir.
    """

    node: Node
    fd: int
    status: os.stat_result


def create_file(overlay: Overlay, link: Link, new: NewObject, flags: int = 0) -> Created:
    """Make an empty regular file, with the fewest system calls: many programs make many files.

    Args:
        overlay: The overlay.
        link: Its directory and name.
        new: Its mode and owner.
        flags: Of open(2), beyond access and creation: O_SYNC and O_DSYNC.
    """
    copy_up(overlay, link.parent)
    new = _with_group_of(overlay, link.parent, _of_kind(new, stat.S_IFREG))
    place = overlay.place(link)
    try:
        fd, status = _open_new(overlay, place, new, flags)
    except FileExistsError:  # a whiteout, or the kernel would not have asked
        fd, status = _open_over_whiteout(overlay, place, new, flags)
    return Created(overlay.upper_node(link, place, status), fd, status)


def _open_over_whiteout(
    overlay: Overlay, place: Place, new: NewObject, flags: int
) -> tuple[int, os.stat_result]:
    """Return a new file that has replaced a whiteout, open, and its status."""
    work = overlay.upper.work_place()
    fd, _ = _open_new(overlay, work, new, flags)
    try:
        with overlay.upper.made(work):
            overlay.upper.rename(work, place)
        return fd, os.fstat(fd)  # the rename has changed its ctime
    except BaseException:
        os.close(fd)
        raise


def _open_new(
    overlay: Overlay, place: Place, new: NewObject, flags: int
) -> tuple[int, os.stat_result]:
    """Return a new file with its mode and owner, open, and its status; or leave nothing."""
    mode = stat.S_IMODE(new.mode)
    fd = os.open(place.name, flags | _NEW_FILE, mode, dir_fd=place.fd)
    try:
        status = os.fstat(fd)
        wanted = (mode, new.uid, new.gid)
        is_done = (stat.S_IMODE(status.st_mode), status.st_uid, status.st_gid) == wanted
        if not is_done or overlay.upper.keeps_stat_in_xattr:
            overlay.upper.set_owner_and_mode(place, new.mode, new.uid, new.gid, 0, is_new=True)
            status = os.fstat(fd)
    except BaseException:
        os.close(fd)
        with contextlib.suppress(OSError):
            overlay.upper.discard(place)
        raise
    return fd, status


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
        created = create_file(overlay, link, new)
        os.close(created.fd)
        return created.node
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


def _with_group_of(overlay: Overlay, directory: Node, new: NewObject) -> NewObject:
    """Return what is asked for with BSD group semantics where the directory's bit asks for them."""
    status = overlay.directory_status(directory)
    if not status.mode & stat.S_ISGID:
        return new
    inherited = stat.S_ISGID if stat.S_ISDIR(new.mode) else 0
    return new._replace(gid=status.gid, mode=new.mode | inherited)


def _create(overlay: Overlay, link: Link, new: NewObject, make: Callable[[Place], None]) -> Node:
    copy_up(overlay, link.parent)
    new = _with_group_of(overlay, link.parent, new)
    is_opaque = stat.S_ISDIR(new.mode) and overlay.below(link) is not None
    final = overlay.place(link)

    def make_whole(place: Place) -> None:
        make(place)
        overlay.upper.set_owner_and_mode(place, new.mode, new.uid, new.gid, new.rdev, is_new=True)
        if is_opaque:
            overlay.upper.hiding.make_opaque(place, final)

    _place_new(overlay, link, make_whole)
    return overlay.require(link)


def _place_new(overlay: Overlay, link: Link, make: Callable[[Place], None]) -> None:
    """Make an object where there is nothing, or a whiteout."""
    place = overlay.place(link)
    if overlay.upper.status(place) is None:
        with overlay.upper.made(place):
            make(place)
        return
    work = overlay.upper.work_place()
    with overlay.upper.made(work):
        make(work)
        made = os.stat(work.name, dir_fd=work.fd, follow_symlinks=False)
        if stat.S_ISDIR(made.st_mode):
            overlay.upper.take_place(work, place)
        else:
            overlay.upper.rename(work, place)
