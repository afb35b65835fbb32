"""A squashfs image: its objects by path, and where its blocks lie.

Everything is read on demand and checked against bounds, so that a hostile image costs no more than
an honest one of its size: each directory is entered once, which ends loops; names are counted.
"""

import stat
import struct
from collections.abc import Iterator
from typing import NamedTuple

from rootless.squashfs.directory import names_in
from rootless.squashfs.inode import SquashInode, read_inode
from rootless.squashfs.metadata import Metadata
from rootless.squashfs.superblock import NONE, read_superblock
from rootless.squashfs.window import Window
from rootless.squashfs.xattrs import XattrTable

_NAMES_MAX = 5_000_000
_PATH_MAX = 4096
_FRAGMENT = struct.Struct("<QII")
_ID = struct.Struct("<I")
_RAW_BLOCK = 1 << 24
_STORED = _RAW_BLOCK - 1


class Named(NamedTuple):
    """One name of an image.

    Attributes:
        path: Relative to the root, which is empty itself.
        reference: The inode's place; the same for all names of an object.
        inode: The object.
    """

    path: bytes
    reference: int
    inode: SquashInode


class Block(NamedTuple):
    """Where a data or fragment block lies: in the file that was opened, its bytes, compressed."""

    place: int
    stored: int
    is_raw: bool


class SquashfsImage:
    """An image, open.

    Args:
        window: Where it lies.
        what: What the user calls it.

    Attributes:
        superblock: Its superblock.
        window: The same.

    Raises:
        InvalidInput: It is of another version, or compressed by what nothing here decodes.
        IntegrityError: It is damaged.
    """

    def __init__(self, window: Window, what: str) -> None:
        self.window = window
        self.superblock = read_superblock(window, what)
        self._metadata = Metadata(window, self.superblock.compressor)
        block = self.superblock
        if block.ids == 0 or block.fragments * _FRAGMENT.size > window.size:
            raise window.damaged("its tables are larger than it is")
        ids = self._metadata.table(block.id_table, block.ids, _ID.size)
        self._ids = struct.unpack(f"<{block.ids}I", ids)
        self._fragments = b""
        if block.fragments and block.fragment_table != NONE:
            self._fragments = self._metadata.table(
                block.fragment_table, block.fragments, _FRAGMENT.size
            )
        self._xattrs = XattrTable(self._metadata, block, window)

    def walk(self) -> Iterator[Named]:
        """Yield all names, each directory before what is in it; raises IntegrityError."""
        root = self.superblock.root
        waiting = [Named(b"", root, self._inode(root))]
        met = {root}
        seen = 1
        while waiting:
            named = waiting.pop()
            yield named
            if not stat.S_ISDIR(named.inode.mode):
                continue
            start = named.path + b"/" if named.path else b""
            if len(start) > _PATH_MAX:
                raise self.window.damaged("directories are nested too deeply")
            below = []
            for name, reference in names_in(
                self._metadata, self.superblock, named.inode, self.window
            ):
                seen += 1
                if seen > _NAMES_MAX:
                    raise self.window.damaged(f"more than {_NAMES_MAX:,} names")
                child = Named(start + name, reference, self._inode(reference))
                if not stat.S_ISDIR(child.inode.mode):
                    yield child
                    continue
                if reference in met:
                    raise self.window.damaged(f"directory {child.path!r} is found twice")
                met.add(reference)
                below.append(child)
            waiting += reversed(below)

    def owner(self, inode: SquashInode) -> tuple[int, int]:
        """Return UID and GID; raises IntegrityError."""
        try:
            return self._ids[inode.uid_index], self._ids[inode.gid_index]
        except IndexError:
            raise self.window.damaged("an owner that is not in the table") from None

    def xattrs(self, number: int) -> dict[bytes, bytes]:
        """Return a set of extended attributes; raises IntegrityError."""
        return self._xattrs.read(number)

    def blocks(self, inode: SquashInode) -> Iterator[Block | None]:
        """Yield a file's data blocks; None for one that is a hole."""
        place = inode.start
        for each in inode.blocks:
            stored = each & _STORED
            if not stored:
                yield None
                continue
            yield self._block(place, each)
            place += stored

    def fragment(self, number: int) -> Block:
        """Return a fragment block; raises IntegrityError."""
        at = number * _FRAGMENT.size
        if at + _FRAGMENT.size > len(self._fragments):
            raise self.window.damaged(f"no fragment {number}")
        place, size, _ = _FRAGMENT.unpack_from(self._fragments, at)
        return self._block(place, size)

    def _block(self, place: int, size: int) -> Block:
        stored = size & _STORED
        if not 0 < stored <= self.superblock.block_size * 2 or place + stored > self.window.size:
            raise self.window.damaged(f"a block of {stored} bytes at {place}")
        return Block(self.window.start + place, stored, bool(size & _RAW_BLOCK))

    def _inode(self, reference: int) -> SquashInode:
        cursor = self._metadata.cursor(
            self.superblock.inode_table + (reference >> 16), reference & 0xFFFF
        )
        return read_inode(cursor, self.superblock.block_size, self.window)
