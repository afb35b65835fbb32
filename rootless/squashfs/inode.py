"""Inodes of squashfs: a common head, and fourteen forms (the kernel's fs/squashfs/squashfs_fs.h).

The types of the first seven are those of directory, file, symbolic link, block and character
device, FIFO and socket; the seven others are the same with more fields.
"""

import os
import stat
import struct
from dataclasses import dataclass

from rootless.squashfs.metadata import Cursor
from rootless.squashfs.window import Window

NO_FRAGMENT = 0xFFFFFFFF
NO_XATTRS = 0xFFFFFFFF

_HEAD = struct.Struct("<HHHHII")
_DIRECTORY = struct.Struct("<IIHHI")
_LONG_DIRECTORY = struct.Struct("<IIIIHHI")
_FILE = struct.Struct("<IIII")
_LONG_FILE = struct.Struct("<QQQIIII")
_LINK = struct.Struct("<II")
_NUMBER = struct.Struct("<I")
_DIRECTORY_TYPE, _FILE_TYPE, _LINK_TYPE, _LAST_DEVICE, _LAST_TYPE = 1, 2, 3, 5, 7
_FORMATS = {
    1: stat.S_IFDIR,
    2: stat.S_IFREG,
    3: stat.S_IFLNK,
    4: stat.S_IFBLK,
    5: stat.S_IFCHR,
    6: stat.S_IFIFO,
    7: stat.S_IFSOCK,
}
_TARGET_MAX = 4096
_BLOCKS_MAX = 1 << 23  # of one file: 1 TiB with blocks of 128 KiB
_SIZE_MAX = 1 << 62


@dataclass(frozen=True, slots=True)
class SquashInode:
    """One object of an image.

    Attributes:
        mode: Type and permissions, as `st_mode` has them.
        uid_index: Which row of the table of IDs its owner is.
        gid_index: The same for its group.
        mtime: Seconds since 1970.
        number: Inode number.
        nlink: Names, as the image has it.
        size: Of a regular file; of a directory, of its listing.
        start: Where a file's first block begins; of a directory, its listing's block.
        offset: In the fragment, or in the listing's block.
        fragment: Number of the fragment block with the file's end; NO_FRAGMENT for none.
        blocks: Size and form of each data block.
        target: Of a symbolic link.
        rdev: Of a device.
        xattrs: Number in the table of extended attributes; NO_XATTRS for none.
    """

    mode: int
    uid_index: int
    gid_index: int
    mtime: int
    number: int
    nlink: int = 1
    size: int = 0
    start: int = 0
    offset: int = 0
    fragment: int = NO_FRAGMENT
    blocks: tuple[int, ...] = ()
    target: bytes = b""
    rdev: int = 0
    xattrs: int = NO_XATTRS


def read_inode(cursor: Cursor, block_size: int, window: Window) -> SquashInode:
    """Return the inode at a place; raises IntegrityError."""
    kind, permissions, uid, gid, mtime, number = _HEAD.unpack(cursor.read(_HEAD.size))
    is_long = kind > _LAST_TYPE
    form = kind - _LAST_TYPE if is_long else kind
    if form not in _FORMATS:
        raise window.damaged(f"an inode of type {kind}")
    mode = _FORMATS[form] | permissions & 0o7777
    if form == _DIRECTORY_TYPE:
        return _directory(cursor, (mode, uid, gid, mtime, number), is_long=is_long)
    if form == _FILE_TYPE:
        common = (mode, uid, gid, mtime, number)
        return _file(cursor, common, block_size, window, is_long=is_long)
    target, rdev = b"", 0
    if form == _LINK_TYPE:
        nlink, size = _LINK.unpack(cursor.read(_LINK.size))
        if not 0 < size <= _TARGET_MAX:
            raise window.damaged(f"a symbolic link of {size} bytes")
        target = cursor.read(size)
        if b"\0" in target:
            raise window.damaged("a symbolic link with a NUL")
    else:
        nlink = _number(cursor)
        if form <= _LAST_DEVICE:
            encoded = _number(cursor)
            major, minor = (encoded & 0xFFF00) >> 8, encoded & 0xFF | (encoded >> 12) & 0xFFF00
            rdev = os.makedev(major, minor)
    xattrs = _number(cursor) if is_long else NO_XATTRS
    return SquashInode(
        mode, uid, gid, mtime, number, nlink, target=target, rdev=rdev, xattrs=xattrs
    )


def _directory(
    cursor: Cursor, common: tuple[int, int, int, int, int], *, is_long: bool
) -> SquashInode:
    xattrs = NO_XATTRS
    if is_long:
        fields = _LONG_DIRECTORY.unpack(cursor.read(_LONG_DIRECTORY.size))
        nlink, size, start, _, _, offset, xattrs = fields
    else:
        start, nlink, size, offset, _ = _DIRECTORY.unpack(cursor.read(_DIRECTORY.size))
    return SquashInode(*common, nlink, size, start, offset, xattrs=xattrs)


def _file(
    cursor: Cursor,
    common: tuple[int, int, int, int, int],
    block_size: int,
    window: Window,
    *,
    is_long: bool,
) -> SquashInode:
    nlink, xattrs = 1, NO_XATTRS
    if is_long:
        fields = _LONG_FILE.unpack(cursor.read(_LONG_FILE.size))
        start, size, _, nlink, fragment, offset, xattrs = fields
    else:
        start, fragment, offset, size = _FILE.unpack(cursor.read(_FILE.size))
    has_fragment = fragment != NO_FRAGMENT
    count = size // block_size if has_fragment else -(-size // block_size)
    if size > _SIZE_MAX or count > _BLOCKS_MAX:
        raise window.damaged(f"a file of {size} bytes")
    blocks = struct.unpack(f"<{count}I", cursor.read(4 * count))
    return SquashInode(*common, nlink, size, start, offset, fragment, blocks, xattrs=xattrs)


def _number(cursor: Cursor) -> int:
    number: int = _NUMBER.unpack(cursor.read(_NUMBER.size))[0]
    return number
