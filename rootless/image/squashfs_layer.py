"""A squashfs image as a layer: the index of its names, and the table of its blocks.

Its data blocks and fragment blocks are the chunks of an address space, where they lie and as they
are compressed: nothing is converted, and the image's file is never written to. The data blocks of
each file are one run of addresses. Fragment blocks, which hold the ends of many files and whole
small ones, have addresses above all data blocks, since how much one decodes to is known at the end.
"""

import stat
from pathlib import Path

from rootless.errors import IntegrityError
from rootless.image.layers import (
    HARD_LINK,
    HAS_XATTRS,
    SPARSE,
    ChunkTableWriter,
    Entry,
    Extent,
    LayerIndexWriter,
    chunk_table,
)
from rootless.squashfs.image import Block, Named, SquashfsImage
from rootless.squashfs.inode import NO_FRAGMENT, NO_XATTRS, SquashInode
from rootless.squashfs.superblock import Compressor

_FRAGMENTS_AT = 1 << 48
_ADDRESSES_MAX = _FRAGMENTS_AT
# Of all files together, beyond what an image of this length can hold: holes, which cost no room.
_HOLES_MAX = 1 << 23
_STORED_MIN = 16
_MARK = b".wh."
_CODECS = {
    Compressor.GZIP: chunk_table.ZLIB,
    Compressor.LZO: chunk_table.LZO,
    Compressor.XZ: chunk_table.XZ,
    Compressor.LZ4: chunk_table.LZ4,
    Compressor.ZSTD: chunk_table.ZSTD,
}


def write_layer(image: SquashfsImage, source: str, index: Path, table: Path) -> None:
    """Write the index and the chunk table of an image.

    Args:
        image: The image.
        source: Path of the file that it lies in, absolute.
        index: Where its index is written.
        table: Where its chunk table is written.

    Raises:
        IntegrityError: It is damaged.
        OSError: A file cannot be read or written.
    """
    with (
        LayerIndexWriter(index) as writer,
        ChunkTableWriter(table, data=source, kind="squashfs") as chunks,
    ):
        layer = _Layer(image, writer, chunks)
        for named in image.walk():
            layer.add(named)
        layer.finish()


class _Layer:
    """Where each object's contents are, as they are met."""

    def __init__(
        self, image: SquashfsImage, index: LayerIndexWriter, chunks: ChunkTableWriter
    ) -> None:
        self._image = image
        self._index = index
        self._chunks = chunks
        self._codec = _CODECS[Compressor(image.superblock.compressor)]
        self._block_size = image.superblock.block_size
        self._number = 0
        self._address = 0
        self._blocks_left = _HOLES_MAX + image.window.size // _STORED_MIN
        self._paths: dict[int, bytes] = {}
        self._runs: dict[tuple[int, tuple[int, ...]], int] = {}
        self._fragments: dict[int, int] = {}

    def add(self, named: Named) -> None:
        """Take the next object."""
        path, reference, inode = named
        # Overlay file systems have whiteouts by such names; no image needs a file called so.
        if _MARK in path and any(part.startswith(_MARK) for part in path.split(b"/")):
            return
        self._number += 1
        uid, gid = self._image.owner(inode)
        flags, offset, size, target = 0, 0, 0, inode.target
        extents: tuple[Extent, ...] | None = None
        if inode.nlink > 1 and not stat.S_ISDIR(inode.mode):
            first = self._paths.setdefault(reference, path)
            if first != path:
                flags, target = HARD_LINK, first
        if stat.S_ISREG(inode.mode) and not flags:
            offset, extents = self._contents(inode)
            size = inode.size
            flags |= 0 if extents is None else SPARSE
        elif stat.S_ISLNK(inode.mode) and not flags:
            size = len(target)
        xattrs = {}
        if inode.xattrs != NO_XATTRS and not flags & HARD_LINK:
            xattrs = self._image.xattrs(inode.xattrs)
            flags |= HAS_XATTRS if xattrs else 0
        entry = Entry(
            self._number,
            path,
            inode.mode,
            uid,
            gid,
            size,
            inode.mtime * 1_000_000_000,
            inode.rdev,
            offset,
            target,
            flags,
        )
        self._index.add(entry, xattrs, extents or ())

    def finish(self) -> None:
        """Complete index and table: the fragment blocks come last."""
        for number, size in sorted(self._fragments.items()):
            block = self._image.fragment(number)
            self._add_chunk(_FRAGMENTS_AT + number * self._block_size, size, block)
        self._chunks.finish()
        self._index.finish()

    def _contents(self, inode: SquashInode) -> tuple[int, tuple[Extent, ...] | None]:
        """Return where a file's contents begin, and its pieces where they are not one run."""
        blocks_size = min(inode.size, len(inode.blocks) * self._block_size)
        pieces: list[Extent] = []
        if inode.blocks:
            first = self._run(inode, blocks_size)
            pieces += self._pieces(inode, first, blocks_size)
        if inode.fragment != NO_FRAGMENT and inode.size > blocks_size:
            pieces.append((blocks_size, inode.size - blocks_size, self._tail(inode, blocks_size)))
        if not inode.size:
            return 0, None
        if len(pieces) == 1 and pieces[0][:2] == (0, inode.size):
            return pieces[0][2], None
        return 0, tuple(pieces)

    def _run(self, inode: SquashInode, size: int) -> int:
        """Return the address of a file's first block; that of an equal file where there is one."""
        key = (inode.start, inode.blocks)
        known = self._runs.get(key)
        if known is not None:
            return known
        first = self._address
        self._blocks_left -= len(inode.blocks)
        if first + size > _ADDRESSES_MAX or self._blocks_left < 0:
            raise self._image.window.damaged("its files are larger than it can be")
        for number, block in enumerate(self._image.blocks(inode)):
            at = number * self._block_size
            if block is not None:
                self._add_chunk(first + at, min(self._block_size, size - at), block)
        self._address = first + size
        self._runs[key] = first
        return first

    def _pieces(self, inode: SquashInode, first: int, size: int) -> list[Extent]:
        """Return the runs of a file's blocks between its holes."""
        pieces: list[Extent] = []
        for number, block in enumerate(inode.blocks):
            at = number * self._block_size
            length = min(self._block_size, size - at)
            if not block:
                continue
            if pieces and pieces[-1][0] + pieces[-1][1] == at:
                start, before, place = pieces[-1]
                pieces[-1] = (start, before + length, place)
            else:
                pieces.append((at, length, first + at))
        return pieces

    def _tail(self, inode: SquashInode, blocks_size: int) -> int:
        """Return the address of a file's end in its fragment block."""
        end = inode.offset + inode.size - blocks_size
        if end > self._block_size:
            raise self._image.window.damaged("a file's end lies beyond its fragment")
        known = self._fragments.get(inode.fragment, 0)
        if not known:
            self._image.fragment(inode.fragment)  # it is there
        self._fragments[inode.fragment] = max(known, end)
        return _FRAGMENTS_AT + inode.fragment * self._block_size + inode.offset

    def _add_chunk(self, address: int, size: int, block: Block) -> None:
        codec = chunk_table.RAW if block.is_raw else self._codec
        if block.is_raw and block.stored < size:
            raise IntegrityError("damaged squashfs image", f"a raw block of {block.stored} bytes")
        stored = size if block.is_raw else block.stored
        self._chunks.add(address, size, place=block.place, stored=stored, codec=codec)
