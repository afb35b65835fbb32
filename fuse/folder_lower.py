"""A plain folder as a layer of a `StackedLower`.

It is read as it is found, in each of the forms in which tools write a layer into a folder:

- whiteouts: a character device 0/0, an empty file with `user.overlay.whiteout`, and the `.wh.NAME`
  of OCI layers, which container engines write where they cannot make device nodes;
- opaque directories: `user.overlay.opaque`, `trusted.overlay.opaque`, `user.fuseoverlayfs.opaque`
  with the value `y`, and `.wh..wh..opq` in the directory;
- owners and modes that the file system could not store: `user.containers.override_stat`.

The folder is reached by descriptor, and nothing below it through a link or a mount: the overlay may
be mounted on the folder itself or inside of it, and a server that looked at its own mount would
wait for itself. A directory that something is mounted on shows as an empty one, with the attributes
of the one that it is in; a file, as one that cannot be read. Like every lower layer the folder must
not change meanwhile; if it does, nothing worse comes of it than stale names and attributes.
"""

import contextlib
import errno
import os
import stat
from collections import OrderedDict
from collections.abc import Collection, Iterator, Mapping, Sequence

from . import whiteout, xattrs
from .copy_range import copy_sparse
from .entry import NO_XATTRS, Inode
from .openat2 import open_beneath
from .ownership import OVERRIDE_STAT, OverrideStat

NUMBERS = 1 << 48
"""How many inode numbers a folder may use: those of its file system, with few exceptions."""

_EXCEPTIONS = 1 << 40
_VIEWS_KEPT = 256
_FILES_KEPT = 64
_PATH = os.O_PATH | os.O_NOFOLLOW
_OPAQUE = (xattrs.OPAQUE, b"trusted.overlay.opaque", b"user.fuseoverlayfs.opaque")


class FolderInode(Inode):
    """An object of a folder.

    Attributes:
        path: Where it is, relative to the folder; empty for the folder itself.
    """

    path: bytes


class _View:
    """What a directory holds: what it shows, what it hides, and a descriptor of it.

    With -1 for a descriptor it is one that something is mounted on, and holds nothing.
    """

    __slots__ = ("directories", "fd", "hidden", "is_opaque", "names")

    def __init__(self, fd: int) -> None:
        self.fd = fd
        self.is_opaque = False
        self.hidden: set[bytes] = set()
        self.names: set[bytes] = set()
        self.directories: set[bytes] = set()
        if fd >= 0:
            self._read()

    def close(self) -> None:
        """Close the descriptor."""
        if self.fd >= 0:
            os.close(self.fd)

    def _read(self) -> None:
        noted = _xattrs(self.fd)
        self.is_opaque = any(noted.get(name) == b"y" for name in _OPAQUE)
        has_xattr_whiteouts = noted.get(xattrs.OPAQUE) == b"x"
        with os.scandir(self.fd) as entries:
            for entry in entries:
                name = os.fsencode(entry.name)
                if name.startswith(whiteout.MARK):
                    self._note_mark(name)
                elif self._is_whiteout(entry, name, xattr_form=has_xattr_whiteouts):
                    self.hidden.add(name)
                else:
                    self.names.add(name)
                    if entry.is_dir(follow_symlinks=False):
                        self.directories.add(name)

    def _note_mark(self, name: bytes) -> None:
        if whiteout.is_ignored(name):
            return
        with contextlib.suppress(ValueError):  # hides nothing that can be
            found = whiteout.parse(name)
            if found is not None and found.is_opaque:
                self.is_opaque = True
            elif found is not None:
                self.hidden.add(found.path)

    def _is_whiteout(self, entry: os.DirEntry[str], name: bytes, *, xattr_form: bool) -> bool:
        """Return whether an object is a whiteout of the kernel's; costs nothing for most kinds."""
        if entry.is_dir(follow_symlinks=False) or entry.is_symlink():
            return False
        if entry.is_file(follow_symlinks=False):
            if not xattr_form:
                return False
            with contextlib.suppress(OSError), _opened(self.fd, name) as file:
                return xattrs.WHITEOUT in _xattrs(file)
            return False
        with contextlib.suppress(OSError), _opened(self.fd, name) as file:
            status = os.fstat(file)
            return stat.S_ISCHR(status.st_mode) and status.st_rdev == 0
        return False  # something is mounted on it


class FolderLower:
    """A folder of files.

    Args:
        fd: Its descriptor; closed with this object.
    """

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._views: OrderedDict[bytes, _View] = OrderedDict()
        self._files: OrderedDict[bytes, int] = OrderedDict()
        self._exceptions: dict[tuple[int, int], int] = {}
        self._device = os.fstat(fd).st_dev
        self.root: Inode = self._inode(b"", fd)

    @property
    def last_ino(self) -> int:
        """No object has a higher number."""
        return NUMBERS - 1

    @property
    def has_xattrs(self) -> bool:
        """Whether any object may have extended attributes: that is not known beforehand."""
        return True

    def lookup(self, directory: Inode, name: bytes) -> Inode | None:
        """Return the object of this name in a directory, None where there is none."""
        parent = _path(directory)
        view = self._view(parent)
        if name not in view.names:
            return None
        path = parent + b"/" + name if parent else name
        try:
            with _opened(view.fd, name) as fd:
                return self._inode(path, fd)
        except FileNotFoundError:
            return None
        except OSError as error:
            if error.errno != errno.EXDEV or name not in view.directories:
                raise
            return self._covered(path, directory)

    def names(self, directory: Inode) -> Sequence[bytes]:
        """Return a directory's names, sorted."""
        return sorted(self._view(_path(directory)).names)

    def hidden(self, directory: Inode) -> Collection[bytes]:
        """Return the names that the layers below must not show in a directory."""
        return self._view(_path(directory)).hidden

    def is_opaque(self, directory: Inode) -> bool:
        """Return whether a directory hides all that the layers below have in it."""
        return self._view(_path(directory)).is_opaque

    def readlink(self, inode: Inode) -> bytes:
        """Return a symbolic link's target."""
        return inode.target

    def xattrs(self, inode: Inode) -> Mapping[bytes, bytes]:
        """Return an object's extended attributes, less those that are notes of an overlay."""
        if stat.S_ISLNK(inode.mode):
            return NO_XATTRS
        try:
            with _opened(self._fd, _path(inode)) as fd:
                found = _xattrs(fd)
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
            return NO_XATTRS
        shown = ((xattrs.shown_name(name), value) for name, value in found.items())
        return {name: value for name, value in shown if name is not None}

    def read(self, inode: Inode, offset: int, size: int) -> bytes:
        """Return a part of a regular file: fewer bytes than asked for only at its end."""
        return os.pread(self._file(_path(inode)), size, offset)

    def require(self, inode: Inode, length: int) -> None:
        """Return: a folder's files are there."""

    def copy(self, inode: Inode, fd: int, length: int) -> None:
        """Copy the first *length* bytes of a regular file into a new file; holes stay holes."""
        copy_sparse(self._file(_path(inode)), fd, length)

    def paths(self, inode: Inode) -> Sequence[bytes]:
        """Return nothing: a folder has no list of the names of an object."""
        del inode
        return ()

    def home(self, ino: int, directory: int) -> tuple[int, bytes]:
        """Raise OSError ESTALE: the kernel knows no object of ours without a node."""
        del directory
        raise OSError(errno.ESTALE, os.strerror(errno.ESTALE), ino)

    def statvfs(self) -> os.statvfs_result:
        """Return what the folder's file system says."""
        return os.fstatvfs(self._fd)

    def close(self) -> None:
        """Close the folder and what was opened in it; harmless when repeated."""
        while self._files:
            os.close(self._files.popitem()[1])
        while self._views:
            self._views.popitem()[1].close()
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def _view(self, path: bytes) -> _View:
        view = self._views.get(path)
        if view is not None:
            self._views.move_to_end(path)
            return view
        try:
            fd = open_beneath(self._fd, path or b".", os.O_RDONLY | os.O_DIRECTORY)
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
            fd = -1
        try:
            view = _View(fd)
        except BaseException:
            if fd >= 0:
                os.close(fd)
            raise
        self._views[path] = view
        if len(self._views) > _VIEWS_KEPT:
            self._views.popitem(last=False)[1].close()
        return view

    def _file(self, path: bytes) -> int:
        """Return a descriptor for reading a file; it stays good until the next call."""
        fd = self._files.get(path, -1)
        if fd >= 0:
            self._files.move_to_end(path)
            return fd
        fd = self._files[path] = open_beneath(self._fd, path, os.O_RDONLY | os.O_NONBLOCK)
        if len(self._files) > _FILES_KEPT:
            os.close(self._files.popitem(last=False)[1])
        return fd

    def _inode(self, path: bytes, fd: int) -> FolderInode:
        status = os.fstat(fd)
        mode, uid, gid, rdev = status.st_mode, status.st_uid, status.st_gid, status.st_rdev
        target = b""
        if stat.S_ISLNK(mode):
            target = os.fsencode(os.readlink(b"", dir_fd=fd))
        elif stat.S_ISREG(mode) or stat.S_ISDIR(mode):
            found = _note(fd, status)
            if found is not None:
                mode, uid, gid, rdev = found.mode, found.uid, found.gid, found.rdev
        inode = FolderInode(
            self._number(status.st_dev, status.st_ino),
            mode,
            status.st_nlink,
            uid,
            gid,
            status.st_size,
            status.st_mtime_ns,
            rdev,
            0,
            0,
            target,
            sparse=False,
        )
        inode.path = path
        return inode

    def _covered(self, path: bytes, directory: Inode) -> FolderInode:
        """Return a directory that something is mounted on: nobody can tell what is below."""
        number = self._number(0, hash(path))
        inode = FolderInode(number, directory.mode, 2, *directory[3:11], sparse=False)
        inode.path = path
        return inode

    def _number(self, device: int, ino: int) -> int:
        if device == self._device and ino < NUMBERS - _EXCEPTIONS:
            return ino
        known = self._exceptions
        serial = known.setdefault((device, ino), len(known))
        if serial >= _EXCEPTIONS - 1:
            raise OSError(errno.EOVERFLOW, os.strerror(errno.EOVERFLOW))
        return NUMBERS - _EXCEPTIONS + serial


@contextlib.contextmanager
def _opened(directory_fd: int, path: bytes) -> Iterator[int]:
    """Open what a path stands for, itself; raises OSError EXDEV where something is mounted."""
    fd = open_beneath(directory_fd, path or b".", _PATH)
    try:
        yield fd
    finally:
        os.close(fd)


def _note(fd: int, status: os.stat_result) -> OverrideStat | None:
    """Return what an object's attributes say it is, None where it is as stored."""
    value = _xattrs(fd).get(OVERRIDE_STAT)
    if value is None:
        return None
    try:
        override = OverrideStat.from_bytes(value)
    except ValueError:
        return None  # damaged, or not written by one who knows the form: what is stored stands
    kind = stat.S_IFMT(override.mode) or stat.S_IFMT(status.st_mode)
    mode = kind | stat.S_IMODE(override.mode)
    return OverrideStat(override.uid, override.gid, mode, override.rdev)


def _xattrs(fd: int) -> dict[bytes, bytes]:
    """Return the attributes of what a descriptor, of whatever kind, stands for."""
    place = f"/proc/self/fd/{fd}"
    found: dict[bytes, bytes] = {}
    with contextlib.suppress(OSError):  # a file system without them
        for name in os.listxattr(place):
            with contextlib.suppress(OSError):  # not for this user
                found[os.fsencode(name)] = os.getxattr(place, name)
    return found


def _path(inode: Inode) -> bytes:
    assert isinstance(inode, FolderInode)  # noqa: S101 - a lower is given its own objects
    return inode.path
