"""Copy-up: an object of the lower tree becomes one of the upperdir before it is changed.

The copy is made complete in the workdir (contents, owner, mode, extended attributes, times) and
renamed into place, its directories first. Its contents reach the disk before its name does: file
systems write names before contents, and after a crash of the machine an empty copy would hide the
lower file, though all that anybody did was a chmod.

An object's number does not change. Hard links stay together, where kernel overlayfs (without its
`index` feature) would let them go apart: the other names of a file that are still seen get linked
to the copy at once. A lower that cannot tell the names (a folder) has them linked as they are
looked up, for as long as the mount lasts.
"""

import contextlib
import errno
import os
import stat
from collections.abc import Iterator

from . import xattrs
from .entry import Inode
from .node import Link, Node
from .overlay import Overlay
from .overlayfs_form import is_whiteout_device
from .place import Place

_XATTR_REFUSED = (errno.EPERM, errno.EOPNOTSUPP, errno.EINVAL)


def copy_up(overlay: Overlay, node: Node, size: int | None = None) -> None:
    """Bring a node into the upperdir; nothing to do where it is there already.

    Args:
        overlay: The overlay.
        node: The object.
        size: How much of a file's contents is wanted; None for all. The rest would be cut off
            by the caller anyway, and the copy of a big file that is opened with O_TRUNC is free.
    """
    if node.is_upper:
        return
    overlay.require_writable()
    if node.lower is not None and stat.S_ISREG(node.lower.mode):
        overlay.lower.require(node.lower, _wanted(node.lower, size))
    if node.is_removed:
        _find_other_name(overlay, node)
    missing = [node]
    while not missing[-1].is_removed and not missing[-1].links[0].parent.is_upper:
        missing.append(missing[-1].links[0].parent)
    while missing:
        _copy_one(overlay, missing.pop(), size)


def inherit_root(overlay: Overlay) -> None:
    """Give an empty upperdir what the lower root has: the merged root shows the upperdir's own.

    A used upperdir keeps what was given to it.
    """
    lower = overlay.lower.root
    place = overlay.upper.place(overlay.nodes.root)
    if overlay.upper.is_new:
        _give_attributes(overlay, lower, place)


def _copy_one(overlay: Overlay, node: Node, size: int | None) -> None:
    lower = node.lower
    if lower is None:
        raise OSError(errno.ESTALE, os.strerror(errno.ESTALE))
    work = overlay.upper.work_place()
    try:
        _make(overlay, lower, work, size)
        if node.changed_ns:
            times = (lower.mtime_ns, node.changed_ns)
            os.utime(work.name, ns=times, dir_fd=work.fd, follow_symlinks=False)
        upper_ino = os.stat(work.name, dir_fd=work.fd, follow_symlinks=False).st_ino
        if node.is_removed:
            _keep_without_name(overlay, node, lower, work)
        else:
            _move_into_place(overlay, node, work)
    except BaseException:
        with contextlib.suppress(OSError):
            overlay.upper.discard(work)
        raise
    overlay.nodes.set_upper(node, upper_ino)
    overlay.changes += 1
    if not node.is_directory and not node.is_removed and lower.nlink > 1:
        _keep_together(overlay, node, lower)


def _move_into_place(overlay: Overlay, node: Node, work: Place) -> None:
    """Rename into the directory, whose time must not show that something was copied."""
    place = overlay.place(node.links[0])
    with _times_kept(place.fd):
        overlay.upper.rename(work, place)


@contextlib.contextmanager
def _times_kept(fd: int) -> Iterator[None]:
    """Put a directory's times back after something was placed in it."""
    before = os.stat(b".", dir_fd=fd)
    yield
    os.utime(b".", ns=(before.st_atime_ns, before.st_mtime_ns), dir_fd=fd)


def _keep_without_name(overlay: Overlay, node: Node, lower: Inode, work: Place) -> None:
    """Give an object without a name, which a program still has open, a copy without one."""
    node.orphan_fd = open_orphan(work, lower.mode)
    overlay.upper.discard(work)


def open_orphan(place: Place, mode: int) -> int:
    """Return an open file of an object that is about to lose its last name."""
    access = os.O_PATH
    if stat.S_ISREG(mode):
        access = os.O_RDWR
    elif stat.S_ISDIR(mode):
        access = os.O_RDONLY
    return os.open(place.name, access | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=place.fd)


def _make(overlay: Overlay, lower: Inode, work: Place, size: int | None) -> None:
    """Make the copy in the workdir."""
    kind = stat.S_IFMT(lower.mode)
    if kind == stat.S_IFDIR:
        os.mkdir(work.name, 0o700, dir_fd=work.fd)
    elif kind == stat.S_IFLNK:
        os.symlink(overlay.lower.readlink(lower), work.name, dir_fd=work.fd)
    elif kind == stat.S_IFREG:
        _make_file(overlay, lower, work, size)
    else:
        make_node(work, lower.mode, lower.rdev)
    _give_attributes(overlay, lower, work)


def _give_attributes(overlay: Overlay, lower: Inode, place: Place) -> None:
    uid, gid = overlay.owner(lower)
    overlay.upper.set_owner_and_mode(place, lower.mode, uid, gid, lower.rdev, is_new=True)
    _set_xattrs(overlay, lower, place)  # chown(2) takes a file's capabilities away
    times = (lower.mtime_ns, lower.mtime_ns)
    os.utime(place.name, ns=times, dir_fd=place.fd, follow_symlinks=False)


def make_node(work: Place, mode: int, rdev: int, permissions: int = 0o600) -> None:
    """Make a FIFO, a socket or a device node.

    A device node that this user may not make, or that would be a whiteout, becomes an empty file:
    its kind and number go into the attribute that `set_owner_and_mode` writes for an object of
    another kind than it should be.
    """
    kind = stat.S_IFREG if is_whiteout_device(mode, rdev) else stat.S_IFMT(mode)
    try:
        os.mknod(work.name, kind | permissions, rdev, dir_fd=work.fd)
    except PermissionError:
        flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC
        os.close(os.open(work.name, flags, permissions, dir_fd=work.fd))


def _make_file(overlay: Overlay, lower: Inode, work: Place, size: int | None) -> None:
    flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC
    fd = os.open(work.name, flags, 0o600, dir_fd=work.fd)
    try:
        wanted = _wanted(lower, size)
        overlay.lower.copy(lower, fd, wanted)
        if wanted and not overlay.is_volatile:
            os.fdatasync(fd)
    finally:
        os.close(fd)


def _wanted(lower: Inode, size: int | None) -> int:
    """Return how much of a file's contents is wanted."""
    return lower.size if size is None else min(size, lower.size)


def _set_xattrs(overlay: Overlay, lower: Inode, work: Place) -> None:
    for name, value in overlay.lower.xattrs(lower).items():
        if not xattrs.is_storable(name):
            continue
        try:
            overlay.upper.set_xattr(work, xattrs.stored_name(name), value, 0)
        except OSError as error:
            # A label or capability of the image's that this file system or user cannot keep must
            # not make its file unwritable.
            if error.errno not in _XATTR_REFUSED:
                raise


def _keep_together(overlay: Overlay, node: Node, lower: Inode) -> None:
    """Link the copy to the file's other names; where that fails, there has been no copy-up."""
    linked = [overlay.place(node.links[0])]
    try:
        _link_other_names(overlay, node, lower, linked)
    except OSError:
        overlay.late_links.clear()
        node.is_pinned = False
        for place in linked:
            with contextlib.suppress(OSError), _times_kept(place.fd):
                os.unlink(place.name, dir_fd=place.fd)
        overlay.nodes.unset_upper(node)
        raise


def _link_other_names(overlay: Overlay, node: Node, lower: Inode, linked: list[Place]) -> None:
    """Link the copy to the file's other names, where the lower file would still be seen.

    Args:
        overlay: The overlay.
        node: The file.
        lower: What it is a copy of.
        linked: Where a link was made is added to it.
    """
    if not overlay.lower.paths(lower):
        node.is_pinned = True
        for link in node.links[1:]:
            linked += _link_to_copy(overlay, node, link)
        return
    for link in _seen_links(overlay, lower):
        if overlay.find(link) is node and overlay.below(link) is not None:
            linked += _link_to_copy(overlay, node, link)
    overlay.late_links.clear()  # the look-ups above noted what they found


def _find_other_name(overlay: Overlay, node: Node) -> None:
    """Find a name of a file that has lost those that are known: a copy without one is alone."""
    if node.lower is not None and node.lower.nlink > 1:
        for link in _seen_links(overlay, node.lower):
            overlay.find(link)  # notes it


def _seen_links(overlay: Overlay, lower: Inode) -> Iterator[Link]:
    """Yield the names of a lower file whose directories are still seen."""
    for path in overlay.lower.paths(lower):
        parent, _, name = path.rpartition(b"/")
        directory = _seen_directory(overlay, parent)
        if directory is not None:
            yield Link(directory, name)
            overlay.nodes.release(directory)


def link_late(overlay: Overlay) -> None:
    """Link copies to the names that were looked up since; called after a look-up."""
    while overlay.late_links:
        node, link = overlay.late_links.pop()
        if link in node.links:
            _link_to_copy(overlay, node, link)


def _link_to_copy(overlay: Overlay, node: Node, link: Link) -> list[Place]:
    """Make a link; return where, if there was none."""
    copy_up(overlay, link.parent)
    place = overlay.place(link)
    if overlay.upper.status(place) is not None:
        return []
    with _times_kept(place.fd):
        overlay.upper.link(overlay.upper.place(node), place)
    return [place]


def _seen_directory(overlay: Overlay, path: bytes) -> Node | None:
    """Return the node of what is seen at a directory's path, None where nothing is any more.

    The directories of the lower tree never move (see `rename`), so what hides one of them has
    nothing of the lower tree below it either.
    """
    node = overlay.nodes.root
    for name in filter(None, path.split(b"/")):
        found = overlay.find(Link(node, name)) if node.is_directory else None
        if found is None:
            overlay.nodes.release(node)
            return None
        node = found
    return node
