"""Changes to an object itself: mode, owner, size, times, extended attributes.

Each copies up first. An object without a name is changed through the file that `node` keeps open
for it.
"""

import contextlib
import errno
import os
import stat
from collections.abc import Mapping
from typing import NamedTuple

from . import xattrs
from .copy_up import copy_up
from .entry import NO_XATTRS
from .node import Node
from .overlay import Overlay


class Changes(NamedTuple):
    """What setattr asks for; None: as it is."""

    mode: int | None = None
    uid: int | None = None
    gid: int | None = None
    size: int | None = None
    atime_ns: int | None = None
    mtime_ns: int | None = None


def change(overlay: Overlay, node: Node, changes: Changes, fd: int = -1) -> None:
    """Apply changes.

    Args:
        overlay: The overlay.
        node: The object.
        changes: What is asked for.
        fd: A file of it that is open for writing; -1 for none.
    """
    copy_up(overlay, node, changes.size)
    if changes.size is not None:
        _truncate(overlay, node, changes.size, fd)
    if (changes.mode, changes.uid, changes.gid) != (None, None, None):
        _change_owner_and_mode(overlay, node, changes)
    if (changes.atime_ns, changes.mtime_ns) != (None, None):
        _change_times(overlay, node, changes)


def _truncate(overlay: Overlay, node: Node, size: int, fd: int) -> None:
    fd = node.orphan_fd if fd < 0 else fd
    if fd >= 0:
        os.ftruncate(fd, size)
        return
    place = overlay.upper.place(node)
    flags = os.O_WRONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    opened = os.open(place.name, flags, dir_fd=place.fd)
    try:
        os.ftruncate(opened, size)
    finally:
        os.close(opened)


def _change_owner_and_mode(overlay: Overlay, node: Node, changes: Changes) -> None:
    if not node.links and node.orphan_fd >= 0:
        _change_orphan(_orphan(node), changes)
        return
    now = overlay.status(node)
    mode = now.mode
    if changes.mode is not None:
        mode = stat.S_IFMT(now.mode) | stat.S_IMODE(changes.mode)
    uid = now.uid if changes.uid is None else changes.uid
    gid = now.gid if changes.gid is None else changes.gid
    overlay.upper.set_owner_and_mode(overlay.upper.place(node), mode, uid, gid, now.rdev)


def _orphan(node: Node) -> int | str:
    """Return what system calls take for an object without a name.

    A descriptor of what cannot be opened, a FIFO, is good for its link in /proc only.
    """
    kind = stat.S_IFMT(os.fstat(node.orphan_fd).st_mode)
    is_open = kind in (stat.S_IFREG, stat.S_IFDIR)
    return node.orphan_fd if is_open else f"/proc/self/fd/{node.orphan_fd}"


def _change_orphan(orphan: int | str, changes: Changes) -> None:
    uid = -1 if changes.uid is None else changes.uid
    gid = -1 if changes.gid is None else changes.gid
    if (uid, gid) != (-1, -1):
        os.chown(orphan, uid, gid)
    if changes.mode is not None:
        os.chmod(orphan, stat.S_IMODE(changes.mode))


def _change_times(overlay: Overlay, node: Node, changes: Changes) -> None:
    now = overlay.status(node)
    times = (
        now.atime_ns if changes.atime_ns is None else changes.atime_ns,
        now.mtime_ns if changes.mtime_ns is None else changes.mtime_ns,
    )
    if not node.links and node.orphan_fd >= 0:
        os.utime(_orphan(node), ns=times)
        return
    place = overlay.upper.place(node)
    os.utime(place.name, ns=times, dir_fd=place.fd, follow_symlinks=False)


def xattr(overlay: Overlay, node: Node, name: bytes) -> bytes:
    """Return the value of an extended attribute; raises OSError ENODATA."""
    xattrs.require_known(name)
    value: bytes | None
    if xattrs.is_owner_note(name):
        value = None
    elif not node.is_upper:
        value = _lower_xattrs(overlay, node).get(name)
    elif not node.links and node.orphan_fd >= 0:
        return os.getxattr(_orphan(node), xattrs.stored_name(name))
    else:
        value = overlay.upper.xattr(overlay.upper.place(node), xattrs.stored_name(name))
    if value is None:
        raise OSError(errno.ENODATA, os.strerror(errno.ENODATA))
    return value


def xattr_names(overlay: Overlay, node: Node) -> list[bytes]:
    """Return the names of the extended attributes that are shown."""
    if not node.is_upper:
        return list(_lower_xattrs(overlay, node))
    if not node.links and node.orphan_fd >= 0:
        stored = [os.fsencode(name) for name in os.listxattr(_orphan(node))]
    else:
        stored = overlay.upper.xattr_names(overlay.upper.place(node))
    shown = (xattrs.shown_name(name) for name in stored)
    return [name for name in shown if name is not None]


def _lower_xattrs(overlay: Overlay, node: Node) -> Mapping[bytes, bytes]:
    return NO_XATTRS if node.lower is None else overlay.lower.xattrs(node.lower)


def set_xattr(overlay: Overlay, node: Node, name: bytes, value: bytes, flags: int = 0) -> None:
    """Set an extended attribute; the flags are setxattr(2)'s."""
    xattrs.require_settable(name)
    if name.startswith(xattrs.USER) and not overlay.upper.has_xattrs:
        raise OSError(errno.EOPNOTSUPP, os.strerror(errno.EOPNOTSUPP))  # nothing is copied up
    copy_up(overlay, node)
    if name == xattrs.DEFAULT_ACL:
        overlay.may_have_acls = True
    stored = xattrs.stored_name(name)
    if not node.links and node.orphan_fd >= 0:
        os.setxattr(_orphan(node), stored, value, flags)
    else:
        overlay.upper.set_xattr(overlay.upper.place(node), stored, value, flags)


def remove_xattr(overlay: Overlay, node: Node, name: bytes) -> None:
    """Remove an extended attribute; raises OSError ENODATA where there is none."""
    if not node.is_upper or xattrs.is_owner_note(name) or name in xattrs.ACLS:
        try:
            xattr(overlay, node, name)  # nothing is copied up for an attribute that is not there
        except OSError as error:
            if error.errno == errno.ENODATA and name in xattrs.ACLS:
                return  # there is always an ACL: the one that the mode says
            raise
    copy_up(overlay, node)
    stored = xattrs.stored_name(name)
    if not node.links and node.orphan_fd >= 0:
        with contextlib.suppress(FileNotFoundError):
            os.removexattr(_orphan(node), stored)
    else:
        overlay.upper.remove_xattr(overlay.upper.place(node), stored)
