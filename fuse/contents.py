"""The contents of a merged tree's files, read straight out of the layers' tars."""

import errno
import os
from collections.abc import Sequence
from types import TracebackType
from typing import Self

from .copy_range import copy_range
from .entry import Extent, Inode
from .splice import PIECE_MAX, PIECE_MIN, Piece


class TarContents:
    """The tars of a chain of layers, open for as long as this lives; a context manager.

    All are opened at once, and read by descriptor from then on: a file system's server must not
    resolve a path after its mount, which may lie above them.

    Args:
        tars: The layers' tars, the lowest first, as the tree's layer numbers count them.
    """

    def __init__(self, tars: Sequence[str | os.PathLike[str]]) -> None:
        self._fds: list[int] = []
        try:
            for path in tars:
                self._fds.append(os.open(path, os.O_RDONLY | os.O_CLOEXEC))
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Close the tars; harmless when repeated."""
        while self._fds:
            os.close(self._fds.pop())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def read(self, inode: Inode, extents: Sequence[Extent], offset: int, size: int) -> bytes:
        """Return a part of a regular file: fewer bytes than asked for only at its end.

        Args:
            inode: The file.
            extents: What `Tree.extents` has for it where it is sparse; of no concern otherwise.
            offset: Where in the file to begin.
            size: How many bytes.

        Raises:
            OSError: The tar cannot be read, or is shorter than it was.
        """
        size = min(size, inode.size - offset)
        if size <= 0:
            return b""
        fd = self._fds[inode.layer]
        if not inode.sparse:
            extents = ((0, inode.size, inode.offset),)
        contents = bytearray(size)
        view = memoryview(contents)
        for start, length, tar_offset in extents:
            first, last = max(start, offset), min(start + length, offset + size)
            if first < last:
                _fill(fd, view[first - offset : last - offset], tar_offset + first - start)
        return bytes(contents)

    def read_into(self, inode: Inode, offset: int, target: memoryview) -> int:
        """Read a part of a file that is not sparse; return how many bytes, less at its end only."""
        size = min(len(target), inode.size - offset)
        if size <= 0:
            return 0
        _fill(self._fds[inode.layer], target[:size], inode.offset + offset)
        return size

    def piece(self, inode: Inode, offset: int, size: int) -> Piece | None:
        """Return where a large part of a file lies in one run; None where it is none, or small."""
        size = min(size, inode.size - offset)
        if inode.sparse or not PIECE_MIN <= size <= PIECE_MAX:
            return None
        return Piece(self._fds[inode.layer], inode.offset + offset, size)

    def copy(self, inode: Inode, extents: Sequence[Extent], fd: int, length: int) -> None:
        """Copy the first *length* bytes of a regular file into a new, empty file.

        The pieces of a sparse file are copied, and its holes stay holes.
        """
        length = min(length, inode.size)
        tar_fd = self._fds[inode.layer]
        if not inode.sparse:
            copy_range(tar_fd, inode.offset, fd, 0, length)
            return
        os.ftruncate(fd, length)
        for offset, size, tar_offset in extents:
            copy_range(tar_fd, tar_offset, fd, offset, min(size, length - offset))

    def read_raw(self, layer: int, offset: int, size: int) -> bytes:
        """Return a run of a layer's tar as it stands; shorter only at the tar's end."""
        return os.pread(self._fds[layer], size, offset)


def _fill(fd: int, target: memoryview, offset: int) -> None:
    """Read until a buffer is full: a read returns at most 2 GiB, and less where a signal came."""
    done = 0
    while done < len(target):
        more = os.preadv(fd, [target[done:]], offset + done)
        if not more:
            raise OSError(errno.EIO, "a layer's tar is shorter than it was")
        done += more
