"""The superblock of a squashfs image, version 4.0 (the kernel's fs/squashfs/squashfs_fs.h)."""

import struct
from enum import IntEnum
from typing import NamedTuple

from rootless.errors import InvalidInput
from rootless.squashfs.window import Window

MAGIC = b"hsqs"
SIZE = 96
NONE = (1 << 64) - 1
"""Where a table begins that is not there."""

_SUPERBLOCK = struct.Struct("<4sIIIIHHHHHHQQQQQQQQ")
_BLOCK_MIN, _BLOCK_MAX = 4 << 10, 1 << 20


class Compressor(IntEnum):
    """What compressed an image's blocks."""

    GZIP = 1
    LZMA = 2
    LZO = 3
    XZ = 4
    LZ4 = 5
    ZSTD = 6


class Superblock(NamedTuple):
    """Where an image's tables begin, and what they are written in."""

    magic: bytes
    inodes: int
    modified: int
    block_size: int
    fragments: int
    compressor: int
    block_log: int
    flags: int
    ids: int
    major: int
    minor: int
    root: int
    bytes_used: int
    id_table: int
    xattr_table: int
    inode_table: int
    directory_table: int
    fragment_table: int
    export_table: int


def read_superblock(window: Window, what: str) -> Superblock:
    """Return an image's superblock.

    Raises:
        InvalidInput: It is of another version, or compressed by what nothing here decodes.
        IntegrityError: It is none, or damaged.
    """
    found = Superblock._make(_SUPERBLOCK.unpack(window.read(0, SIZE)))
    if found.magic != MAGIC:
        raise window.damaged("it does not begin as one")
    if (found.major, found.minor) != (4, 0):
        version = f"{found.major}.{found.minor}"
        raise InvalidInput(f"squashfs of version {version}, known is 4.0", what, _REMAKE)
    if found.compressor == Compressor.LZMA:
        raise InvalidInput("squashfs compressed by LZMA, which was given up for xz", what, _REMAKE)
    if found.compressor not in list(Compressor):
        raise InvalidInput(f"unknown compressor {found.compressor} of squashfs", what, _REMAKE)
    size = found.block_size
    if not _BLOCK_MIN <= size <= _BLOCK_MAX or size != 1 << found.block_log:
        raise window.damaged(f"blocks of {size} bytes")
    if found.bytes_used > window.size:
        raise window.damaged(f"it has {window.size} bytes of {found.bytes_used}")
    if not found.inode_table < found.directory_table <= found.bytes_used:
        raise window.damaged("its tables are out of order")
    return found


_REMAKE = "make it again with mksquashfs 4"
