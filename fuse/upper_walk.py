"""What an upperdir makes of the tree below it, object by object, without a mount.

For layers, archives and comparisons. The upperdir is read in either form (`overlayfs_form`,
`dot_form`) of whichever driver wrote it, and never written to. The order depends on nothing but
names: depth first, each directory by the bytes of its names, so that the same upperdir is always
told in the same way.

Everything is opened by descriptor beneath the upperdir, through no link and no mount. Only regular
files and directories are opened. What vanishes while a program goes on writing is passed over.
"""

import errno
import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import NamedTuple

from . import xattrs
from .entry import Extent, Inode
from .openat2 import open_beneath
from .overlayfs_form import is_whiteout_device
from .ownership import OVERRIDE_STAT, OverrideStat, Squash
from .tree import ROOT_INO, Tree
from .whiteout import DOT_FORM_NOTE, MARK, OPAQUE, is_ignored

_NO_XATTRS = (errno.ENODATA, errno.EOPNOTSUPP, errno.EPERM, errno.ENOENT)
# Names of objects that are elsewhere: neither driver writes them with `userxattr`.
_ELSEWHERE = (b"user.overlay.redirect", b"user.overlay.metacopy")


class UpperFormError(ValueError):
    """An upperdir that another overlay wrote, with what cannot be read without it."""


class Changed(NamedTuple):
    """An object of the upperdir, as a program sees it in the mount.

    Attributes:
        path: Relative to the root; empty for the root itself.
        mode: Type and permissions, the noted ones where the file system could not store them.
        uid: Owner; the lower object's where the mount shows that as this one.
        gid: Group.
        size: Length of a regular file, else 0.
        mtime_ns: Time of last modification.
        rdev: Device number of a device node.
        target: Of a symbolic link.
        xattrs: As they are shown.
        before: What the lower tree has at this path, whether the upperdir shows it or not.
        covers: The lower object would show if this one were not there.
        is_opaque: It is a directory, and hides what the one that it covers has in it.
        identity: The same for all names of one object; None where it has one name only.
        fd: Of a regular file, for reading, until the next object is asked for; else -1.
    """

    path: bytes
    mode: int
    uid: int
    gid: int
    size: int
    mtime_ns: int
    rdev: int
    target: bytes
    xattrs: Mapping[bytes, bytes]
    before: Inode | None
    covers: bool
    is_opaque: bool
    identity: tuple[int, int] | None
    fd: int


class Hidden(NamedTuple):
    """A name of the lower tree that is gone; what is below it went along.

    Attributes:
        path: Which one.
        before: What it was.
        by_opaque: No whiteout says so, but an opaque directory above it.
    """

    path: bytes
    before: Inode
    by_opaque: bool


class Untouched(NamedTuple):
    """An object of the lower tree that shows."""

    path: bytes
    inode: Inode


class _Waiting(NamedTuple):
    """An object of the upperdir that is still to be told."""

    path: bytes
    before: Inode | None
    covers: bool
    is_marked: bool


class _Listing(NamedTuple):
    """What a directory of the upperdir says: objects, names that are gone, how much it hides."""

    shown: dict[bytes, bool]
    gone: set[bytes]
    is_opaque: bool


class UpperWalk:
    """Reads an upperdir over a tree.

    Args:
        upperdir_fd: The upperdir; stays the caller's. -1 for none: nothing was changed.
        tree: What lies below it; stays the caller's.
        uids: How the mount showed the tree's owners.
        gids: The same for groups.
    """

    def __init__(
        self, upperdir_fd: int, tree: Tree, uids: Squash | None = None, gids: Squash | None = None
    ) -> None:
        self._root_fd = upperdir_fd
        self._tree = tree
        self._uids = uids if uids is not None else Squash((), 0)
        self._gids = gids if gids is not None else Squash((), 0)
        self._is_dot_form = self._has_dot_form()

    def changes(self) -> Iterator[Changed | Hidden]:
        """Yield what the upperdir has, and what it hides.

        A whiteout stands where its name in a layer, `.wh.NAME`, does.

        Raises:
            UpperFormError: Another overlay wrote it.
            OSError: It cannot be read.
        """
        for each in self._walk(with_lower=False):
            if not isinstance(each, Untouched):
                yield each

    def merged(self) -> Iterator[Changed | Untouched]:
        """Yield everything that shows, of the upperdir and of the tree."""
        for each in self._walk(with_lower=True):
            if not isinstance(each, Hidden):
                yield each

    def is_as_before(self, each: Changed) -> bool:
        """Return whether an object has the attributes of what the tree has at its path."""
        before = each.before
        if before is None:
            return False
        now = (each.mode, each.uid, each.gid, each.mtime_ns)
        return now == (before.mode, before.uid, before.gid, before.mtime_ns) and dict(
            each.xattrs
        ) == self.xattrs_before(before)

    def xattrs_before(self, inode: Inode) -> dict[bytes, bytes]:
        """Return the extended attributes of an object of the tree."""
        return self._tree.xattrs(inode.ino)

    def extents_before(self, inode: Inode) -> tuple[Extent, ...]:
        """Return where the pieces of a sparse file of the tree lie."""
        return self._tree.extents(inode.ino)

    def _walk(self, *, with_lower: bool) -> Iterator[Changed | Hidden | Untouched]:
        root = self._tree.inode(ROOT_INO)
        first = _Waiting(b"", root, covers=True, is_marked=False)
        stack: list[_Waiting | Hidden | Untouched] = [first]
        if self._root_fd < 0:
            stack = [Untouched(b"", root)] if with_lower else []
        while stack:
            each = stack.pop()
            if isinstance(each, Hidden):
                yield each
            elif isinstance(each, Untouched):
                yield each
                if stat.S_ISDIR(each.inode.mode):
                    below = self._tree.children(each.inode.ino)
                    stack += [Untouched(_join(each.path, n), i) for n, i in reversed(below)]
            else:
                with suppress(FileNotFoundError):
                    yield from self._told(each, stack, with_lower=with_lower)

    def _told(
        self, each: _Waiting, stack: list[_Waiting | Hidden | Untouched], *, with_lower: bool
    ) -> Iterator[Changed]:
        """Yield one object; what is in a directory goes onto the stack."""
        fd = self._open(each.path)
        try:
            status = os.fstat(fd)
            if not stat.S_ISDIR(status.st_mode):
                yield self._changed(each, status, fd, is_opaque=False)
                return
            listing = self._list(each.path, fd, is_marked=each.is_marked)
            yield self._changed(each, status, fd, is_opaque=listing.is_opaque)
            below = self._below(each, listing, with_lower=with_lower)
            stack += sorted(below, key=_order, reverse=True)
        finally:
            os.close(fd)

    def _below(
        self, each: _Waiting, listing: _Listing, *, with_lower: bool
    ) -> Iterator[_Waiting | Hidden | Untouched]:
        """Yield what is in a directory, in no order."""
        before = each.before
        is_merged = before is not None and stat.S_ISDIR(before.mode)
        shows_through = each.covers and not listing.is_opaque
        lower = dict(self._tree.children(before.ino)) if before and is_merged else {}
        for name, is_marked in listing.shown.items():
            inode = lower.pop(name, None)
            covers = shows_through and inode is not None
            yield _Waiting(_join(each.path, name), inode, covers, is_marked)
        for name, inode in lower.items():
            path = _join(each.path, name)
            if not shows_through or name in listing.gone:
                yield Hidden(path, inode, by_opaque=not shows_through)
            elif with_lower:
                yield Untouched(path, inode)

    def _list(self, path: bytes, fd: int, *, is_marked: bool) -> _Listing:
        """Return what a directory says."""
        value = _xattr(fd, xattrs.OPAQUE)
        directories: dict[bytes, bool] = {}
        gone: set[bytes] = set()
        marked: set[bytes] = set()
        has_mark = is_marked
        for name in map(os.fsencode, os.listdir(fd)):
            if self._is_dot_form and name.startswith(MARK):
                if name == OPAQUE:
                    has_mark = True
                elif not is_ignored(name):
                    marked.add(name[len(MARK) :])
                continue
            with suppress(FileNotFoundError):
                status = os.stat(name, dir_fd=fd, follow_symlinks=False)
                if self._is_whiteout(_join(path, name), status, has_xattr_form=value is not None):
                    gone.add(name)
                else:
                    directories[name] = stat.S_ISDIR(status.st_mode)
        # a mark beside an object hides what that has below it
        shown = {name: is_one and name in marked for name, is_one in directories.items()}
        return _Listing(shown, gone | (marked - shown.keys()), has_mark or value == b"y")

    def _is_whiteout(self, path: bytes, status: os.stat_result, *, has_xattr_form: bool) -> bool:
        if stat.S_ISCHR(status.st_mode):
            return is_whiteout_device(status.st_mode, status.st_rdev)
        if not has_xattr_form or not stat.S_ISREG(status.st_mode) or status.st_size:
            return False
        fd = open_beneath(self._root_fd, path, os.O_RDONLY | os.O_NONBLOCK)
        try:
            return _xattr(fd, xattrs.WHITEOUT) is not None
        finally:
            os.close(fd)

    def _changed(
        self, each: _Waiting, status: os.stat_result, fd: int, *, is_opaque: bool
    ) -> Changed:
        is_link = stat.S_ISLNK(status.st_mode)
        kept = _xattrs(fd)
        if any(name in kept for name in _ELSEWHERE):
            raise UpperFormError(f"{os.fsdecode(each.path)!r} is kept elsewhere by another overlay")
        note = _note(kept)
        mode, uid, gid, rdev = status.st_mode, status.st_uid, status.st_gid, status.st_rdev
        if note is not None:
            mode = (stat.S_IFMT(note.mode) or stat.S_IFMT(mode)) | stat.S_IMODE(note.mode)
            uid, gid, rdev = note.uid, note.gid, note.rdev
        if each.before is not None:
            uid = each.before.uid if self._uids[each.before.uid] == uid else uid
            gid = each.before.gid if self._gids[each.before.gid] == gid else gid
        covered = each.covers and each.before is not None and stat.S_ISDIR(each.before.mode)
        is_linked = status.st_nlink > 1 and not stat.S_ISDIR(status.st_mode)
        return Changed(
            path=each.path,
            mode=mode,
            uid=uid,
            gid=gid,
            size=status.st_size if stat.S_ISREG(mode) else 0,
            mtime_ns=status.st_mtime_ns,
            rdev=rdev if stat.S_ISCHR(mode) or stat.S_ISBLK(mode) else 0,
            target=os.readlink(b"", dir_fd=fd) if is_link else b"",
            xattrs=_shown(kept),
            before=each.before,
            covers=each.covers,
            is_opaque=is_opaque and covered,
            identity=(status.st_dev, status.st_ino) if is_linked else None,
            fd=fd if stat.S_ISREG(mode) else -1,
        )

    def _open(self, path: bytes) -> int:
        """Open a file or directory for reading, anything else as a place only."""
        if not path:
            return os.open(b".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=self._root_fd)
        fd = open_beneath(self._root_fd, path, os.O_PATH | os.O_NOFOLLOW)
        mode = os.fstat(fd).st_mode
        if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
            return fd
        os.close(fd)
        # Whatever takes its place meanwhile: a FIFO does not block, and a device none can make.
        return open_beneath(self._root_fd, path, os.O_RDONLY | os.O_NONBLOCK)

    def _has_dot_form(self) -> bool:
        if self._root_fd < 0:
            return False
        try:
            os.getxattr(self._root_fd, xattrs.OPAQUE)
        except OSError as error:
            if error.errno in (errno.EOPNOTSUPP, errno.ENOSYS):
                return True
        try:
            os.stat(DOT_FORM_NOTE, dir_fd=self._root_fd, follow_symlinks=False)
        except FileNotFoundError:
            return False
        return True


def _order(each: _Waiting | Hidden | Untouched) -> bytes:
    parent, slash, name = each.path.rpartition(b"/")
    is_whiteout = isinstance(each, Hidden) and not each.by_opaque
    return parent + slash + MARK + name if is_whiteout else each.path


def _join(parent: bytes, name: bytes) -> bytes:
    return parent + b"/" + name if parent else name


def _xattr(fd: int, name: bytes) -> bytes | None:
    try:
        return os.getxattr(fd, name)
    except OSError as error:
        if error.errno in _NO_XATTRS:
            return None
        raise


def _xattrs(fd: int) -> dict[bytes, bytes]:
    """Return what is kept of an open object, also of one that is open as a place only."""
    place = f"/proc/self/fd/{fd}"
    found: dict[bytes, bytes] = {}
    try:
        names = sorted(map(os.fsencode, os.listxattr(place)))
    except OSError as error:
        if error.errno not in _NO_XATTRS:
            raise
        return found
    for name in names:
        with suppress(OSError):  # gone meanwhile, or a capability of another namespace
            found[name] = os.getxattr(place, name)
    return found


def _shown(kept: Mapping[bytes, bytes]) -> dict[bytes, bytes]:
    named = ((xattrs.shown_name(name), value) for name, value in kept.items())
    return {name: value for name, value in named if name is not None}


def _note(kept: Mapping[bytes, bytes]) -> OverrideStat | None:
    value = kept.get(OVERRIDE_STAT)
    try:
        return None if value is None else OverrideStat.from_bytes(value)
    except ValueError:
        return None  # as the mount has it: what is stored stands
