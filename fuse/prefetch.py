"""File contents pushed into the kernel's page cache before they are asked for.

A read costs a request and a wait for it, whatever its size, and a package's files are mostly small.
So a small file's contents are given to the kernel (FUSE_NOTIFY_STORE) when it is opened for the
first time, before the open is answered: its reads never come. And a program that reads through a
directory (a compiler, `tar`, an interpreter's imports) opens its files in the listing's order, so
after a few opens in a row the next files are read from the tar, where they lie side by side, and
pushed in the gaps between requests (see `pump`), a few at a time.

What bounds it:

- Never a file that was opened before. The kernel's store waits for the lock of a page, and a read
  that waits in the queue holds such locks: both would wait for each other for good. Reads come of
  open files only, so a file whose open we have not answered has none.
- Files ahead are pushed after `_RUN` opens in order only, and at most `_WINDOW_FILES` files and
  `_WINDOW_BYTES` bytes of them.
- Of a layer that is not all there, only what is; and whoever keeps the order in which its files are
  used is told of a file that is pushed, as no read will tell.
- Big files are left to the kernel's own read-ahead, and no file is pushed twice: where memory is
  short the kernel drops the pages, and pushing them again would make it worse.

Children of a directory are numbered in a row, in listing order, and after them those of the next
directory; so the order of opens is the order of inode numbers, and "the next files" are the next
numbers.
"""

import stat
from collections import deque
from collections.abc import Callable, Sequence
from typing import Protocol

from .entry import Inode

_RUN = 2
_STRIDE = 16  # opens may skip entries (directories, links, unwanted suffixes) and be in order still
_WINDOW_FILES = 64
_WINDOW_BYTES = 1 << 20
_FILE_MAX = 128 << 10
_SLICE_BYTES = 128 << 10
_SLICE_FILES = 8
_GAP = 8192  # a tar header or a few, and what lies between that is not wanted


Push = Callable[[int, int, bytes | memoryview], None]
"""Stores into the kernel's cache: inode number, offset, contents."""


class _Reader(Protocol):
    """What reads a run of bytes of a layer's tar."""

    @property
    def is_lazy(self) -> bool: ...
    def read_raw(self, layer: int, offset: int, size: int) -> bytes: ...
    def note_use(self, inode: Inode) -> None: ...


class _Inodes(Protocol):
    """What knows a tree's objects."""

    def inodes(self, first: int, last: int) -> Sequence[Inode]: ...


class Prefetch:
    """Follows the opens; pushes what is opened, and what will be opened next.

    Args:
        tree: The objects.
        reader: The layers' tars.
        push: `FastPath.store`; FileNotFoundError where the kernel does not know the file.
        last_ino: The highest number.

    Attributes:
        files_pushed: So many files were pushed.
    """

    def __init__(self, tree: _Inodes, reader: _Reader, push: Push, last_ino: int) -> None:
        self._tree = tree
        self._reader = reader
        self._push = push
        self._done = bytearray(last_ino + 1)
        self._is_noted = bytearray(last_ino + 1) if reader.is_lazy else None
        self._last = -1 - _STRIDE
        self._run = 0
        self._next = 0
        self._end = 0
        self._ahead: deque[Inode] = deque()
        self._bytes_ahead = 0
        self.files_pushed = 0

    def opened(self, ino: int, inode_of: Callable[[int], Inode]) -> None:
        """Note that a file is about to be opened: from the answer on, reads of it may wait.

        Args:
            ino: The file.
            inode_of: Returns it; is not asked where the file was pushed before.
        """
        if ino >= len(self._done):
            inode_of(ino)  # says that there is none
            return
        if not self._done[ino]:
            inode = inode_of(ino)
            if _is_wanted(inode):
                self._push_stretch([inode])
            self._done[ino] = 1
        if self._is_noted is not None and not self._is_noted[ino]:
            self._is_noted[ino] = 1
            inode = inode_of(ino)
            if _is_wanted(inode):
                self._reader.note_use(inode)
        distance = ino - self._last
        self._last = ino
        if not 0 < distance <= _STRIDE:
            self._run = self._end = self._bytes_ahead = 0
            self._ahead.clear()
            return
        while self._ahead and self._ahead[0].ino <= ino:
            self._bytes_ahead -= self._ahead.popleft().size
        self._run += 1
        if self._run >= _RUN:
            self._next = max(self._next, ino + 1) if self._end else ino + 1
            self._end = min(ino + 1 + _WINDOW_FILES, len(self._done))

    def keep_away(self, ino: int) -> None:
        """Note that a file is opened of which nothing must be pushed."""
        if ino < len(self._done):
            self._done[ino] = 1

    def step(self) -> bool:
        """Push a few files that will be opened next; return whether there was anything to do."""
        if self._next >= self._end or self._bytes_ahead >= _WINDOW_BYTES:
            return False
        last = min(self._next + _SLICE_FILES, self._end) - 1
        batch = []
        for each in self._tree.inodes(self._next, last):
            if self._done[each.ino] or not _is_wanted(each):
                continue
            if self._bytes_ahead + each.size > _WINDOW_BYTES:
                last = each.ino - 1
                break
            batch.append(each)
            self._bytes_ahead += each.size
        if last < self._next:
            return False
        self._next = last + 1
        self._ahead += batch
        for stretch in _stretches(batch):
            self._push_stretch(stretch)
        return True

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
            try:
                self._push(inode.ino, 0, contents[start : start + inode.size])
            except FileNotFoundError:
                self._end = 0  # the kernel has not met it, or has forgotten it: so with the next
                return
            self._done[inode.ino] = 1
            self.files_pushed += 1


def _is_wanted(inode: Inode) -> bool:
    return stat.S_ISREG(inode.mode) and 0 < inode.size <= _FILE_MAX and not inode.sparse


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
