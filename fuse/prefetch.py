"""File contents pushed into the kernel's page cache before they are asked for.

A read costs a request, 35 µs whatever its size, and a package's files are mostly small. A program
that reads through a directory (a compiler, `tar`, an interpreter's imports) opens its files in the
listing's order, so after a few opens in a row the next files are read from the tar, where they lie
side by side, and given to the kernel with FUSE_NOTIFY_STORE. Their reads then never come.

The open handler only notes the number (`opened`); the work is done by `step`, in slices of a few
files, in the gaps between requests (see `pump`). What bounds it:

- Never a file that was opened before. The kernel's store waits for the lock of a page, and a read
  that waits in the queue holds such locks: both would wait for each other for good. Reads come of
  open files only, so a file that we have not seen opened has none.
- Nothing happens before `_RUN` opens in order, so random access pays one comparison an open.
- At most `_WINDOW_FILES` files and `_WINDOW_BYTES` bytes lie ahead of the reader.
- Big files are left to the kernel's own read-ahead, and no file is pushed twice: where memory is
  short the kernel drops the pages, and pushing them again would make it worse.

Children of a directory are numbered in a row, in listing order, so the order of opens is the order
of inode numbers and "the next files" are the next numbers of the same listing.
"""

import stat
from collections.abc import Callable
from typing import Any, Protocol, cast

from .readdir import Listing, ListingCache
from .tree import Inode

_RUN = 2
_STRIDE = 16  # opens may skip entries (directories, links, unwanted suffixes) and be in order still
_WINDOW_FILES = 64
_WINDOW_BYTES = 1 << 20
_FILE_MAX = 128 << 10
_SLICE_BYTES = 128 << 10
_SLICE_FILES = 8
_GAP = 8192  # a tar header or a few, and what lies between that is not wanted


Push = Callable[[int, int, bytes], None]
"""`pyfuse3.notify_store`: inode number, offset, contents."""


class _Reader(Protocol):
    """What reads a run of bytes of a layer's tar."""

    def read_raw(self, layer: int, offset: int, size: int) -> bytes: ...


class Prefetch:
    """Follows the opens; pushes what will be opened next.

    Args:
        listings: The directories that the kernel knows.
        reader: The layers' tars.
        store: `pyfuse3.notify_store`: inode number, offset, contents.
        inodes: How many numbers the tree has.
    """

    def __init__(
        self,
        listings: ListingCache[Any],
        reader: _Reader,
        store: Push,
        inodes: int,
    ) -> None:
        self._listings = listings
        self._reader = reader
        self._store = store
        self._done = bytearray(inodes + 2)
        self._last = -1 - _STRIDE
        self._run = 0
        self._listing: Listing[Any] | None = None
        self._next = 0
        self._end = 0
        self._budget = 0
        self.files_pushed = 0

    def opened(self, ino: int) -> None:
        """Note that a file was opened: from now on reads of it may wait for us."""
        if ino < len(self._done):
            self._done[ino] = 1
        distance = ino - self._last
        self._last = ino
        if not 0 < distance <= _STRIDE:
            self._run = 0
            self._end = 0
            return
        self._run += 1
        if self._run >= _RUN:
            self._aim(ino, distance)

    def step(self) -> bool:
        """Push a few files; return whether there was anything to push."""
        batch = self._next_batch()
        for stretch in _stretches(batch):
            self._push_stretch(stretch)
        return bool(batch)

    def _push_stretch(self, files: list[Inode]) -> None:
        """Read files that lie side by side with one read, and push each."""
        first, last = files[0], files[-1]
        try:
            span = last.offset + last.size - first.offset
            contents = memoryview(self._reader.read_raw(first.layer, first.offset, span))
        except OSError:
            return  # the read that will be asked for says what is wrong
        for inode in files:
            start = inode.offset - first.offset
            self._push(inode.ino, contents[start : start + inode.size])

    def _aim(self, ino: int, distance: int) -> None:
        """Move the window to start behind the file that was opened; what it passed is free."""
        listing = self._listing
        if listing is None or ino not in listing.inodes:
            listing = self._listing = self._listings.holder(ino)
            self._next = 0
        if listing is None:
            self._end = 0
            return
        if self._end == 0 or self._next <= ino:
            self._budget = _WINDOW_BYTES
        else:
            passed = (listing.inodes.get(each) for each in range(ino - distance + 1, ino + 1))
            self._budget += sum(each.size for each in passed if each and each.size <= _FILE_MAX)
            self._budget = min(self._budget, _WINDOW_BYTES)
        self._next = max(self._next, ino + 1)
        self._end = ino + 1 + _WINDOW_FILES

    def _next_batch(self) -> list[Inode]:
        """Return the next few files of the window."""
        batch: list[Inode] = []
        while self._next < self._end and len(batch) < _SLICE_FILES:
            inode = self._candidate(self._next)
            if inode is not None:
                if inode.size > self._budget:
                    break
                batch.append(inode)
                self._budget -= inode.size
            self._next += 1
        return batch

    def _candidate(self, ino: int) -> Inode | None:
        if self._listing is None or ino >= len(self._done) or self._done[ino]:
            return None
        inode = self._listing.inodes.get(ino)
        if inode is None or not stat.S_ISREG(inode.mode) or inode.sparse:
            return None
        return inode if 0 < inode.size <= _FILE_MAX else None

    def _push(self, ino: int, contents: memoryview) -> None:
        self._done[ino] = 1
        try:
            self._store(ino, 0, cast("bytes", contents))  # declared bytes; takes any buffer
        except FileNotFoundError:
            return  # the kernel has forgotten the file, or has not met it
        self.files_pushed += 1


def _stretches(files: list[Inode]) -> list[list[Inode]]:
    """Group files by where they lie: each group is worth one read."""
    groups: list[list[Inode]] = []
    for inode in sorted(files, key=lambda each: (each.layer, each.offset)):
        if groups and _adjoins(groups[-1], inode):
            groups[-1].append(inode)
        else:
            groups.append([inode])
    return groups


def _adjoins(group: list[Inode], inode: Inode) -> bool:
    """Return whether one read may bring the file along with those before it."""
    first, last = group[0], group[-1]
    if inode.layer != first.layer:
        return False
    gap = inode.offset - (last.offset + last.size)
    return gap <= _GAP and inode.offset + inode.size - first.offset <= _SLICE_BYTES
