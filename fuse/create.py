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
        umask: Permissions that are not wanted, unless the directory has a default ACL (acl(5)).
        is_inheriting: The directory has one: the permissions are what the file system made of it.
    """

    mode: int
    uid: int
    gid: int
    rdev: int = 0
    umask: int = 0
    is_inheriting: bool = False


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
    new = _as_in(overlay, link.parent, _of_kind(new, stat.S_IFREG))
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
    with overlay.upper.workroom(place, is_inheriting=new.is_inheriting) as work:
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
        if new.is_inheriting:
            mode = stat.S_IMODE(status.st_mode)
        wanted = (mode, new.uid, new.gid)
        is_done = (stat.S_IMODE(status.st_mode), status.st_uid, status.st_gid) == wanted
        if not is_done or overlay.upper.keeps_stat_in_xattr:
            new = new._replace(mode=stat.S_IFREG | mode)
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
        os.mkdir(place.name, stat.S_IMODE(new.mode), dir_fd=place.fd)

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
        make_node(place, new.mode, new.rdev, stat.S_IMODE(new.mode))

    return _create(overlay, link, new, make)


def make_link(overlay: Overlay, node: Node, link: Link) -> None:
    """Give an object another name."""
    copy_up(overlay, node)
    copy_up(overlay, link.parent)
    if node.is_removed:
        _name(overlay, node, link)
        return
    origin = overlay.upper.place(node)

    def make(place: Place) -> None:
        overlay.upper.link(origin, place)

    _place_new(overlay, link, make)
    node.add_link(link)


def make_unnamed(overlay: Overlay, directory: Node, new: NewObject) -> Created:
    """Make a regular file without a name (O_TMPFILE), which can be given one (`make_link`).

    Raises OSError EOPNOTSUPP where the upperdir's file system has no such files.
    """
    if directory.is_removed:
        raise OSError(errno.ENOENT, os.strerror(errno.ENOENT))
    copy_up(overlay, directory)
    new = _as_in(overlay, directory, _of_kind(new, stat.S_IFREG))
    parent = overlay.upper.directory(directory)
    fd = os.open(b".", os.O_TMPFILE | os.O_RDWR | os.O_CLOEXEC, new.mode & 0o7777, dir_fd=parent)
    orphan_fd = -1
    try:
        orphan_fd = os.dup(fd)
        mode = stat.S_IMODE(os.fstat(fd).st_mode if new.is_inheriting else new.mode)
        overlay.upper.set_owner_and_mode_open(fd, mode, new.uid, new.gid)
        status = os.fstat(fd)
        ino = overlay.nodes.upper_number(status.st_ino)
        node = Node(ino, is_directory=False, upper_ino=status.st_ino)
    except BaseException:
        for each in filter(lambda number: number >= 0, (fd, orphan_fd)):
            os.close(each)
        raise
    node.orphan_fd = orphan_fd
    overlay.nodes.add(node)
    return Created(node, fd, status)


def _name(overlay: Overlay, node: Node, link: Link) -> None:
    """Give an object without a name one: ENOENT where it had one before, as link(2) has it."""

    def make(place: Place) -> None:
        origin = f"/proc/self/fd/{node.orphan_fd}"
        os.link(origin, place.name, dst_dir_fd=place.fd, follow_symlinks=True)

    _place_new(overlay, link, make)
    node.add_link(link)
    node.close()


def _of_kind(new: NewObject, kind: int) -> NewObject:
    return new._replace(mode=kind | stat.S_IMODE(new.mode))


def _as_in(overlay: Overlay, directory: Node, new: NewObject) -> NewObject:
    """Return what is asked for as a directory has it: the group, and what permissions go by.

    The group is the directory's where its set-GID bit asks for that. A default ACL of the
    directory's takes the place of the umask; the file system itself applies it.
    """
    status = overlay.directory_status(directory)
    if overlay.has_default_acl(directory):
        new = new._replace(is_inheriting=True)
    else:
        new = new._replace(mode=new.mode & ~new.umask)
    if not status.mode & stat.S_ISGID:
        return new
    inherited = stat.S_ISGID if stat.S_ISDIR(new.mode) else 0
    return new._replace(gid=status.gid, mode=new.mode | inherited)


def _create(overlay: Overlay, link: Link, new: NewObject, make: Callable[[Place], None]) -> Node:
    copy_up(overlay, link.parent)
    new = _as_in(overlay, link.parent, new)
    is_opaque = stat.S_ISDIR(new.mode) and overlay.below(link) is not None
    final = overlay.place(link)

    def make_whole(place: Place) -> None:
        make(place)
        mode = new.mode
        if new.is_inheriting:
            made = os.stat(place.name, dir_fd=place.fd, follow_symlinks=False)
            mode = stat.S_IFMT(mode) | stat.S_IMODE(made.st_mode) | mode & stat.S_ISGID
        overlay.upper.set_owner_and_mode(place, mode, new.uid, new.gid, new.rdev, is_new=True)
        if is_opaque:
            overlay.upper.hiding.make_opaque(place, final)

    _place_new(overlay, link, make_whole, is_inheriting=new.is_inheriting)
    return overlay.require(link)


def _place_new(
    overlay: Overlay, link: Link, make: Callable[[Place], None], *, is_inheriting: bool = False
) -> None:
    """Make an object where there is nothing, or a whiteout."""
    place = overlay.place(link)
    if overlay.upper.status(place) is None:
        with overlay.upper.made(place):
            make(place)
        return
    workroom = overlay.upper.workroom(place, is_inheriting=is_inheriting)
    with workroom as work, overlay.upper.made(work):
        make(work)
        made = os.stat(work.name, dir_fd=work.fd, follow_symlinks=False)
        if stat.S_ISDIR(made.st_mode):
            overlay.upper.take_place(work, place)
        else:
            overlay.upper.rename(work, place)
