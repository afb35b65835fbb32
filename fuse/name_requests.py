"""Requests about names: look-ups, new objects, removals.

Each translates and delegates; see `fast_path` for what a handler gets and returns.
"""

import os

from . import create, remove, wire
from .copy_up import link_late
from .create import Created, NewObject
from .fast_path import DONE
from .node import Link, Node
from .place import Place
from .served import Served

_UID, _GID = 4, 5  # among the fields of a request
_KEPT_FLAGS = os.O_SYNC | os.O_DSYNC


class NameRequests:
    """Answers them."""

    def __init__(self, served: Served) -> None:
        self._served = served
        self._path = served.path
        self._overlay = served.overlay
        self._nodes = served.overlay.nodes
        self._untouched = served.untouched
        self._stored_uid = served.attributes.uid_translation.to_stored
        self._stored_gid = served.attributes.gid_translation.to_stored
        served.path.serve(
            {
                wire.LOOKUP: self._lookup,
                wire.FORGET: self._forget,
                wire.BATCH_FORGET: self._batch_forget,
                wire.CREATE: self._create,
                wire.TMPFILE: self._tmpfile,
                wire.MKDIR: self._mkdir,
                wire.MKNOD: self._mknod,
                wire.SYMLINK: self._symlink,
                wire.LINK: self._make_link,
                wire.UNLINK: self._unlink,
                wire.RMDIR: self._rmdir,
            }
        )

    def _lookup(self, parent: int, length: int) -> bytes:
        name = self._path.name(wire.BODY, length)
        untouched = self._untouched
        if untouched is not None and name != b"." and untouched.is_plain(parent):
            found = untouched.lookup(parent, name)
            if found is not None:
                return found
        self._overlay.trim()
        directory = self._overlay.node(parent)
        node = directory if name == b"." else self._overlay.find(Link(directory, name))
        if self._overlay.late_links:
            link_late(self._overlay)
        return wire.ABSENT if node is None else self._tell(node)

    def _forget(self, ino: int, length: int) -> None:
        del length
        (lookups,) = wire.NUMBER.unpack_from(self._path.buffer, wire.BODY)
        self._nodes.forget(ino, lookups)

    def _batch_forget(self, ino: int, length: int) -> None:
        del ino
        for number, lookups in wire.forgotten(self._path.view[wire.BODY : length]):
            self._nodes.forget(number, lookups)

    def _create(self, parent: int, length: int) -> bytes:
        flags, mode, umask, _ = wire.CREATE_IN.unpack_from(self._path.buffer, wire.BODY)
        link = self._link(parent, wire.CREATE_IN.size, length)
        new = self._new(mode, umask)
        created = create.create_file(self._overlay, link, new, flags & _KEPT_FLAGS)
        return self._opened(created, self._overlay.place(link))

    def _tmpfile(self, parent: int, length: int) -> bytes:
        del length
        _, mode, umask, _ = wire.CREATE_IN.unpack_from(self._path.buffer, wire.BODY)
        directory = self._overlay.node(parent)
        new = self._new(mode, umask)
        return self._opened(create.make_unnamed(self._overlay, directory, new), None)

    def _opened(self, created: Created, place: Place | None) -> bytes:
        """Return the answer that names a new file, which counts as a look-up, and opens it."""
        node, fd, stored = created
        number = self._served.handles.add(node, fd)
        entry = self._served.attributes.entry(self._overlay.upper_status(node, stored, place))
        node.lookups += 1
        return entry + wire.OPENED.pack(number, wire.KEEP_CACHE, 0)

    def _mkdir(self, parent: int, length: int) -> bytes:
        mode, umask = wire.MKDIR_IN.unpack_from(self._path.buffer, wire.BODY)
        link = self._link(parent, wire.MKDIR_IN.size, length)
        return self._tell(create.make_directory(self._overlay, link, self._new(mode, umask)))

    def _mknod(self, parent: int, length: int) -> bytes:
        mode, rdev, umask, _ = wire.MKNOD_IN.unpack_from(self._path.buffer, wire.BODY)
        link = self._link(parent, wire.MKNOD_IN.size, length)
        return self._tell(create.make_special(self._overlay, link, self._new(mode, umask, rdev)))

    def _symlink(self, parent: int, length: int) -> bytes:
        name, _, target = self._path.name(wire.BODY, length).partition(b"\0")
        link = self._changing(parent, name)
        return self._tell(create.make_symlink(self._overlay, link, target, self._new(0o777)))

    def _make_link(self, parent: int, length: int) -> bytes:
        (ino,) = wire.NUMBER.unpack_from(self._path.buffer, wire.BODY)
        node = self._overlay.node(ino)
        create.make_link(self._overlay, node, self._link(parent, wire.NUMBER.size, length))
        return self._tell(node)

    def _unlink(self, parent: int, length: int) -> bytes:
        remove.unlink(self._overlay, self._link(parent, 0, length))
        return DONE

    def _rmdir(self, parent: int, length: int) -> bytes:
        remove.rmdir(self._overlay, self._link(parent, 0, length))
        return DONE

    def _link(self, parent: int, skipped: int, length: int) -> Link:
        """Return the name that ends the request, which is about to stand for something else."""
        return self._changing(parent, self._path.name(wire.BODY + skipped, length))

    def _changing(self, parent: int, name: bytes) -> Link:
        self._overlay.changes += 1
        return Link(self._overlay.node(parent), name)

    def _new(self, mode: int, umask: int = 0, rdev: int = 0) -> NewObject:
        request = wire.REQUEST.unpack_from(self._path.buffer)
        uid, gid = self._stored_uid(request[_UID]), self._stored_gid(request[_GID])
        if not self._path.agreed & wire.DONT_MASK:
            umask = 0  # the kernel has applied it
        return NewObject(mode, uid, gid, rdev, umask)

    def _tell(self, node: Node) -> bytes:
        """Return the answer that names a node, which counts as a look-up."""
        entry = self._served.attributes.entry(self._overlay.status(node))
        node.lookups += 1
        return entry
