"""The kernel's side of a mount's connection, for tests of what answers it.

A pair of sockets that keep messages apart stands for /dev/fuse; the requests have the layouts of
`fuse.wire`. As the kernel does, it counts how often it was told of each object and can take that
back.
"""

import contextlib
import errno
import os
import socket
import struct
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, Self

import images
import pytest
from overlays import Core

from fuse import wire
from fuse.fast_path import FastPath
from fuse.overlay_file_system import _serve_overlay
from fuse.ownership import Squash
from fuse.server_config import ServerConfig
from fuse.shown import Shown

_ANSWER_MAX = 1 << 21


class Attr(NamedTuple):
    """What fuse_attr says."""

    ino: int
    size: int
    blocks: int
    atime: int
    mtime: int
    ctime: int
    atime_ns: int
    mtime_ns: int
    ctime_ns: int
    mode: int
    nlink: int
    uid: int
    gid: int
    rdev: int
    blksize: int
    flags: int


class Listed(NamedTuple):
    """One entry of a directory: what counts as a look-up of it is none for the dots."""

    name: bytes
    position: int
    ino: int
    attr: Attr | None


class Kernel:
    """Asks a fast path, one request after the other; a context manager.

    Attributes:
        path: What answers.
        told: How often each object was told of and not yet forgotten.
        stored: What was put into the page cache: number, offset, contents.
    """

    def __init__(self, path: FastPath) -> None:
        self.path = path
        self.told: Counter[int] = Counter()
        self.stored: list[tuple[int, int, bytes]] = []
        self.uid, self.gid = os.getuid(), os.getgid()
        self._ours, self._theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        path.attach(self._theirs.fileno())
        self._unique = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._ours.close()
        self._theirs.close()

    def put(self, opcode: int, ino: int, body: bytes = b"") -> int:
        """Put a request where the fast path reads it; return its length."""
        self._unique += 2
        length = wire.BODY + len(body)
        head = (length, opcode, self._unique, ino, self.uid, self.gid, os.getpid(), 0, 0)
        self.path.buffer[:length] = wire.REQUEST.pack(*head) + body
        return length

    def ask(self, opcode: int, ino: int, body: bytes = b"") -> bytes:
        """Return the body of the answer to a request; raises OSError where it is an errno."""
        assert self.path.answer(self.put(opcode, ino, body))
        while True:
            answer = self._ours.recv(_ANSWER_MAX, socket.MSG_DONTWAIT)
            length, error, unique = wire.ANSWER.unpack_from(answer)
            if unique != 0:
                break
            assert error == wire.NOTIFY_STORE
            number, offset, size, _ = wire.STORE.unpack_from(answer, wire.ANSWER.size)
            self.stored.append((number, offset, answer[wire.ANSWER.size + wire.STORE.size :]))
            assert len(self.stored[-1][2]) == size
        assert (length, unique) == (len(answer), self._unique)
        if error:
            assert length == wire.ANSWER.size
            raise OSError(-error, os.strerror(-error))
        return answer[wire.ANSWER.size :]

    def tell(self, opcode: int, ino: int, body: bytes = b"") -> None:
        """Make a request that has no answer."""
        assert self.path.answer(self.put(opcode, ino, body))
        assert self.message() is None

    def message(self) -> bytes | None:
        """Return what was sent without being asked for."""
        try:
            return self._ours.recv(_ANSWER_MAX, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return None

    # Names

    def lookup(self, parent: int, name: bytes) -> Attr | None:
        """Look a name up, which counts; None where there is none."""
        return self._entry(self.ask(wire.LOOKUP, parent, name + b"\0"))

    def find(self, path: str, start: int = 1) -> Attr:
        """Look up a path whose every name is there."""
        found = None
        for name in path.split("/"):
            found = self.lookup(start, name.encode())
            assert found is not None, name
            start = found.ino
        assert found is not None
        return found

    def forget(self, ino: int, lookups: int) -> None:
        """Take back what was told."""
        self.told[ino] -= lookups
        self.tell(wire.FORGET, ino, wire.NUMBER.pack(lookups))

    def forget_all(self) -> None:
        """Take back all that was told, at once."""
        pairs = [pair for pair in self.told.items() if pair[1]]
        self.told.clear()
        body = wire.BATCH_IN.pack(len(pairs), 0)
        body += b"".join(struct.pack("=QQ", *pair) for pair in pairs)
        self.tell(wire.BATCH_FORGET, 0, body)

    def create(
        self, parent: int, name: bytes, mode: int = 0o100644, flags: int = os.O_RDWR, umask: int = 0
    ) -> tuple[Attr, int]:
        """Make a file; return it and the handle of its open file."""
        head = wire.CREATE_IN.pack(flags | os.O_CREAT, mode, umask, 0)
        return self._created(self.ask(wire.CREATE, parent, head + name + b"\0"))

    def tmpfile(self, parent: int, mode: int = 0o100600) -> tuple[Attr, int]:
        """Make a file without a name; return it and the handle of its open file."""
        head = wire.CREATE_IN.pack(os.O_RDWR, mode, 0, 0)
        return self._created(self.ask(wire.TMPFILE, parent, head + b"/\0"))

    def mkdir(self, parent: int, name: bytes, mode: int = 0o755, umask: int = 0) -> Attr:
        """Make a directory."""
        body = wire.MKDIR_IN.pack(mode, umask) + name + b"\0"
        return self._there(self.ask(wire.MKDIR, parent, body))

    def mknod(self, parent: int, name: bytes, mode: int, rdev: int = 0, umask: int = 0) -> Attr:
        """Make a special file, or a plain one."""
        body = wire.MKNOD_IN.pack(mode, rdev, umask, 0) + name + b"\0"
        return self._there(self.ask(wire.MKNOD, parent, body))

    def symlink(self, parent: int, name: bytes, target: bytes) -> Attr:
        """Make a symbolic link."""
        return self._there(self.ask(wire.SYMLINK, parent, name + b"\0" + target + b"\0"))

    def link(self, ino: int, parent: int, name: bytes) -> Attr:
        """Give an object another name."""
        body = wire.NUMBER.pack(ino) + name + b"\0"
        return self._there(self.ask(wire.LINK, parent, body))

    def unlink(self, parent: int, name: bytes) -> None:
        """Remove a name."""
        assert self.ask(wire.UNLINK, parent, name + b"\0") == b""

    def rmdir(self, parent: int, name: bytes) -> None:
        """Remove a directory."""
        assert self.ask(wire.RMDIR, parent, name + b"\0") == b""

    # Directories

    def opendir(self, ino: int) -> int:
        """Ask to open a directory, which need not be: return what stands for a handle then."""
        with pytest.raises(OSError, match=os.strerror(errno.ENOSYS)):
            self.ask(wire.OPENDIR, ino, wire.OPEN_IN.pack(0, 0))
        return 0

    def readdir(self, ino: int, fh: int, start: int = 0, size: int = 4096) -> list[Listed]:
        """Read entries from a position on, which counts."""
        body = wire.READ_IN.pack(fh, start, size) + bytes(20)
        entries = self.ask(wire.READDIRPLUS, ino, body)
        assert len(entries) <= size
        found, at = [], 0
        while at < len(entries):
            attr = self._entry(entries[at : at + wire.ENTRY.size])
            number, position, _, _ = wire.DIRENT.unpack_from(entries, at + wire.ENTRY.size)
            found.append(Listed(wire.name_at(entries, at), position, number, attr))
            at += wire.length_at(entries, at)
        return found

    def read_rest(self, ino: int, fh: int, start: int = 0, size: int = 4096) -> list[Listed]:
        """Read a directory from a position to its end, in pieces of this size."""
        found: list[Listed] = []
        while piece := self.readdir(ino, fh, start, size):
            found += piece
            start = piece[-1].position
        return found

    def names(self, ino: int, size: int = 4096) -> list[bytes]:
        """Read all names of a directory but the dots, in a pass of its own."""
        fh = self.opendir(ino)
        found = [each.name for each in self.read_rest(ino, fh, 0, size)]
        assert found.count(b".") == found.count(b"..") == 1
        return [name for name in found if name not in (b".", b"..")]

    # Open files

    def open(self, ino: int, flags: int = os.O_RDONLY) -> int:
        """Open a file."""
        number, _, _ = wire.OPENED.unpack(self.ask(wire.OPEN, ino, wire.OPEN_IN.pack(flags, 0)))
        return int(number)

    def read(self, ino: int, fh: int, offset: int = 0, size: int = 4096) -> bytes:
        """Read a part of a file."""
        return self.ask(wire.READ, ino, wire.READ_IN.pack(fh, offset, size) + bytes(20))

    def write(self, ino: int, fh: int, contents: bytes, offset: int = 0) -> int:
        """Write a part of a file."""
        head = wire.WRITE_IN.pack(fh, offset, len(contents), 0, 0, 0, 0)
        size, _ = wire.SIZE.unpack(self.ask(wire.WRITE, ino, head + contents))
        return int(size)

    def release(self, ino: int, fh: int) -> None:
        """Close a file."""
        assert self.ask(wire.RELEASE, ino, wire.NUMBER.pack(fh) + bytes(16)) == b""

    @contextlib.contextmanager
    def opened(self, ino: int, flags: int = os.O_RDONLY) -> Iterator[int]:
        """Open a file for a block."""
        fh = self.open(ino, flags)
        try:
            yield fh
        finally:
            self.release(ino, fh)

    def contents(self, ino: int) -> bytes:
        """Open, read and close a small file."""
        with self.opened(ino) as fh:
            return self.read(ino, fh, 0, 1 << 16)

    # Objects

    def getattr(self, ino: int) -> Attr:
        """Ask for attributes."""
        return self.attr(self.ask(wire.GETATTR, ino, wire.GETATTR_IN.pack(0, 0, 0)))

    def attr(self, answer: bytes) -> Attr:
        """Read an answer that has attributes, which are good for as long as the mount."""
        valid, _, _, *fields = wire.ATTRIBUTES.unpack(answer)
        assert valid == wire.FOREVER
        return Attr._make(fields)

    def getxattr(self, ino: int, name: bytes, size: int = 1 << 16) -> bytes:
        """Return an extended attribute."""
        return self.ask(wire.GETXATTR, ino, wire.GETXATTR_IN.pack(size, 0) + name + b"\0")

    def setxattr(self, ino: int, name: bytes, value: bytes, flags: int = 0) -> None:
        """Set an extended attribute."""
        body = wire.SETXATTR_IN.pack(len(value), flags) + name + b"\0" + value
        assert self.ask(wire.SETXATTR, ino, body) == b""

    def _created(self, answer: bytes) -> tuple[Attr, int]:
        number, _, _ = wire.OPENED.unpack(answer[wire.ENTRY.size :])
        return self._there(answer[: wire.ENTRY.size]), number

    def _there(self, answer: bytes) -> Attr:
        found = self._entry(answer)
        assert found is not None
        return found

    def _entry(self, answer: bytes) -> Attr | None:
        """Read an answer that tells of an object, or that there is none."""
        ino, generation, valid, _, _, _, *fields = wire.ENTRY.unpack(answer)
        assert (generation, valid) == (0, wire.FOREVER)
        if ino == 0:
            return None
        attr = Attr._make(fields)
        assert attr.ino == ino
        self.told[ino] += 1
        return attr


class Mount(Kernel):
    """An overlay that is served, and the kernel that asks it.

    Attributes:
        core: The overlay.
        served: What answers for it.
    """

    def __init__(self, core: Core, config: ServerConfig) -> None:
        uids, gids = Squash(((0, 0),), os.getuid()), Squash(((0, 0),), os.getgid())
        self.core = core
        self.served = _serve_overlay(config, core.overlay, Shown(uids, gids))
        super().__init__(self.served.path)

    @property
    def upperdir(self) -> Path:
        """Where changes go."""
        return self.core.upperdir


@contextlib.contextmanager
def mounted(
    folder: Path, layers: Sequence[images.Layer], config: ServerConfig | None = None
) -> Iterator[Mount]:
    """Serve layers with an upperdir; at the end all is forgotten, and nothing must be left."""
    with Core(folder, layers) as core, Mount(core, config or ServerConfig("/")) as mount:
        yield mount
        mount.forget_all()
        nodes = core.overlay.nodes
        assert len(nodes) == 1
        assert not nodes.told
        assert len(mount.served.handles) == 0
