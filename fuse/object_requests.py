"""Requests about one object of a writable mount: its attributes, plain and extended.

Each translates and delegates; see `fast_path` for what a handler gets and returns.
"""

import stat
import time

from . import change, wire
from .fast_path import DONE
from .served import Served
from .xattrs import DEFAULT_ACL

# Which fields of SETATTR are meant (FATTR_*)
_MODE, _UID, _GID, _SIZE, _ATIME, _MTIME, _FH, _ATIME_NOW, _MTIME_NOW = (1 << n for n in range(9))
_KILL_SGID = 1 << 0  # FUSE_SETXATTR_ACL_KILL_SGID


class ObjectRequests:
    """Answers them."""

    def __init__(self, served: Served) -> None:
        self._path = served.path
        self._overlay = served.overlay
        self._attributes = served.attributes
        self._features = served.features
        self._handles = served.handles
        self._untouched = served.untouched
        served.path.serve(
            {
                wire.GETATTR: self._getattr,
                wire.SETATTR: self._setattr,
                wire.READLINK: self._readlink,
                wire.SETXATTR: self._setxattr,
                wire.GETXATTR: self._getxattr,
                wire.LISTXATTR: self._listxattr,
            }
        )

    def _getattr(self, ino: int, length: int) -> bytes:
        del length
        untouched = self._untouched
        if untouched is not None and untouched.knows(ino):
            return wire.attributes_answer(untouched.attributes(untouched.inode(ino)))
        status = self._overlay.status(self._overlay.node(ino))
        return wire.attributes_answer(self._attributes.of(status))

    def _setattr(self, ino: int, length: int) -> bytes:
        del length
        fields = wire.SETATTR_IN.unpack_from(self._path.buffer, wire.BODY)
        valid, _, fh, size, _, *times, mode, _, uid, gid, _ = fields
        atime, mtime, _, atime_ns, mtime_ns, _ = times
        changes = change.Changes(
            mode=mode if valid & _MODE else None,
            uid=self._attributes.uid_translation.to_stored(uid) if valid & _UID else None,
            gid=self._attributes.gid_translation.to_stored(gid) if valid & _GID else None,
            size=size if valid & _SIZE else None,
            atime_ns=_time(valid & _ATIME, valid & _ATIME_NOW, atime, atime_ns),
            mtime_ns=_time(valid & _MTIME, valid & _MTIME_NOW, mtime, mtime_ns),
        )
        node = self._overlay.node(ino)
        fd = self._handles.fd(fh) if valid & _FH and valid & _SIZE else -1
        change.change(self._overlay, node, changes, fd)
        return wire.attributes_answer(self._attributes.of(self._overlay.status(node)))

    def _readlink(self, ino: int, length: int) -> bytes:
        del length
        untouched = self._untouched
        if untouched is not None and untouched.knows(ino):
            return untouched.inode(ino).target
        return self._overlay.readlink(self._overlay.node(ino))

    def _setxattr(self, ino: int, length: int) -> bytes:
        is_long = self._path.agreed & wire.SETXATTR_EXT
        form = wire.SETXATTR_EXT_IN if is_long else wire.SETXATTR_IN
        size, flags, *more = form.unpack_from(self._path.buffer, wire.BODY)
        rest = bytes(self._path.view[wire.BODY + form.size : length])
        name, _, value = rest.partition(b"\0")
        self._features.require_xattr(name)
        node = self._overlay.node(ino)
        change.set_xattr(self._overlay, node, name, value[:size], flags)
        # The kernel says it of default ACLs too, where file systems take nothing away.
        if more and more[0] & _KILL_SGID and name != DEFAULT_ACL:
            mode = self._overlay.status(node).mode & ~stat.S_ISGID
            change.change(self._overlay, node, change.Changes(mode=mode))
        return DONE

    def _getxattr(self, ino: int, length: int) -> bytes | int:
        name = self._path.name(wire.BODY + wire.GETXATTR_IN.size, length)
        self._features.require_xattr(name)
        return self._path.xattr_answer(change.xattr(self._overlay, self._overlay.node(ino), name))

    def _listxattr(self, ino: int, length: int) -> bytes | int:
        del length
        self._features.require_xattr(b"")
        names = change.xattr_names(self._overlay, self._overlay.node(ino))
        return self._path.xattr_answer(wire.names_list(names))


def _time(is_set: int, is_now: int, seconds: int, nanoseconds: int) -> int | None:
    if is_now:
        return time.time_ns()
    return seconds * wire.SECOND + nanoseconds if is_set else None
