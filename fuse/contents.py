"""The contents of a merged tree's files, read straight out of the layers.

A layer is a tar, or it has a chunk table (`chunk_table`): then its bytes are compressed, or not all
of them are there yet, and the offsets in its index are offsets in what they decode to.
"""

import errno
import os
from collections.abc import Sequence

from .chunk_table import ChunkTable, is_chunk_table
from .closing import Closing
from .coded_layer import CodedLayer, DecodedChunks
from .copy_range import copy_range
from .entry import Extent, Inode
from .layer_bytes import LayerBytes, OnAbsent, OnFirst, Run
from .lazy_layer import LazyLayer
from .packed_chunks import chunk_table_in
from .server_config import DECODED_BYTES
from .splice import PIECE_MAX, PIECE_MIN, Piece


class TarContents(Closing):
    """The contents of a chain of layers, open for as long as this lives; a context manager.

    All are opened at once, and read by descriptor from then on: a file system's server must not
    resolve a path after its mount, which may lie above them.

    Args:
        layers: The layers' tars or chunk tables, the lowest first, as the tree's layer numbers
            count them.
        decoded_bytes: How much of what was decoded is kept.
        on_absent: Called for what is wanted of a layer and is not there yet; without it that is
            an error, EIO.
        on_first: Called for what is wanted for the first time and is there.

    Attributes:
        is_lazy: A layer may not be all there.
    """

    def __init__(
        self,
        layers: Sequence[str | os.PathLike[str]],
        *,
        decoded_bytes: int = DECODED_BYTES,
        on_absent: OnAbsent | None = None,
        on_first: OnFirst | None = None,
    ) -> None:
        self._fds: list[int] = []  # -1 for a layer that is no tar
        self._others: dict[int, LayerBytes] = {}
        self._on_absent = on_absent
        self._on_first = on_first
        self.is_lazy = False
        self._kept = DecodedChunks(decoded_bytes)
        layers = tuple(layers)
        try:
            for number, path in enumerate(layers):
                self._fds.append(self._open(number, path, is_alone=len(layers) == 1))
        except BaseException:
            self.close()
            raise

    def _open(self, number: int, path: str | os.PathLike[str], *, is_alone: bool) -> int:
        if is_chunk_table(path):
            table = ChunkTable(path)
        else:
            fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
            held = self._held_by(fd, path) if is_alone else None
            if held is None:
                return fd
            os.close(fd)
            table = held
        try:
            if table.present:
                self._others[number] = LazyLayer(table, number, self._on_absent, self._on_first)
                self.is_lazy = True
            else:
                self._others[number] = CodedLayer(table, number, self._kept)
        except BaseException:
            table.close()
            raise
        return -1

    @staticmethod
    def _held_by(fd: int, path: str | os.PathLike[str]) -> ChunkTable | None:
        try:
            return chunk_table_in(fd, path)
        except BaseException:
            os.close(fd)
            raise

    def close(self) -> None:
        """Close the layers; harmless when repeated."""
        while self._fds:
            fd = self._fds.pop()
            if fd >= 0:
                os.close(fd)
        while self._others:
            self._others.popitem()[1].close()

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
        if not inode.sparse:
            extents = ((0, inode.size, inode.offset),)
        contents = bytearray(size)
        view = memoryview(contents)
        if inode.sparse and self._fds[inode.layer] < 0:
            self._others[inode.layer].require(_runs(extents, offset, size))
        for start, length, place in extents:
            first, last = max(start, offset), min(start + length, offset + size)
            if first < last:
                self._fill(inode.layer, view[first - offset : last - offset], place + first - start)
        return bytes(contents)

    def read_into(self, inode: Inode, offset: int, target: memoryview) -> int:
        """Read a part of a file that is not sparse; return how many bytes, less at its end only."""
        size = min(len(target), inode.size - offset)
        if size <= 0:
            return 0
        self._fill(inode.layer, target[:size], inode.offset + offset)
        return size

    def piece(self, inode: Inode, offset: int, size: int) -> Piece | None:
        """Return where a large part of a file lies in one run; None where it is none, or small."""
        size = min(size, inode.size - offset)
        if inode.sparse or not PIECE_MIN <= size <= PIECE_MAX:
            return None
        fd = self._fds[inode.layer]
        if fd < 0:
            return self._others[inode.layer].piece(inode.offset + offset, size)
        return Piece(fd, inode.offset + offset, size)

    def require(self, inode: Inode, extents: Sequence[Extent], length: int) -> None:
        """Return when the first *length* bytes of a regular file are there, or raise OSError."""
        length = min(length, inode.size)
        if self._fds[inode.layer] >= 0 or length <= 0:
            return
        if not inode.sparse:
            extents = ((0, inode.size, inode.offset),)
        self._others[inode.layer].require(_runs(extents, 0, length))

    def note_use(self, inode: Inode) -> None:
        """Take note that a file's contents are used, though nobody is going to read them here."""
        if self._fds[inode.layer] < 0:
            self._others[inode.layer].note_use(inode.offset, inode.size)

    def copy(self, inode: Inode, extents: Sequence[Extent], fd: int, length: int) -> None:
        """Copy the first *length* bytes of a regular file into a new, empty file.

        The pieces of a sparse file are copied, and its holes stay holes.
        """
        length = min(length, inode.size)
        self.require(inode, extents, length)
        if not inode.sparse:
            self._copy(inode.layer, inode.offset, fd, 0, length)
            return
        os.ftruncate(fd, length)
        for offset, size, place in extents:
            self._copy(inode.layer, place, fd, offset, min(size, length - offset))

    def read_raw(self, layer: int, offset: int, size: int) -> bytes:
        """Return a run of a layer's bytes as they stand; shorter only at the layer's end.

        Raises OSError where it is not there yet, and asks nobody for it.
        """
        fd = self._fds[layer]
        return os.pread(fd, size, offset) if fd >= 0 else self._others[layer].raw(offset, size)

    def _fill(self, layer: int, target: memoryview, offset: int) -> None:
        fd = self._fds[layer]
        if fd < 0:
            self._others[layer].fill(target, offset)
            return
        done = 0  # a read returns at most 2 GiB, and less where a signal came
        while done < len(target):
            more = os.preadv(fd, [target[done:]], offset + done)
            if not more:
                raise OSError(errno.EIO, "a layer's tar is shorter than it was")
            done += more

    def _copy(self, layer: int, offset: int, fd: int, target: int, length: int) -> None:
        if length <= 0:
            return
        tar_fd = self._fds[layer]
        if tar_fd < 0:
            self._others[layer].copy(offset, fd, target, length)
        else:
            copy_range(tar_fd, offset, fd, target, length)


def _runs(extents: Sequence[Extent], offset: int, size: int) -> Sequence[Run]:
    """Return where a part of a file lies in its layer."""
    runs = []
    for start, length, place in extents:
        first, last = max(start, offset), min(start + length, offset + size)
        if first < last:
            runs.append((place + first - start, last - first))
    return runs
