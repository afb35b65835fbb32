"""Directory listings of squashfs: runs of names whose inodes share a metadata block."""

import struct
from collections.abc import Iterator

from rootless.squashfs.inode import SquashInode
from rootless.squashfs.metadata import Metadata
from rootless.squashfs.superblock import Superblock
from rootless.squashfs.window import Window

_RUN = struct.Struct("<III")
_NAME = struct.Struct("<HhHH")
_RUN_MAX = 256
_NAME_MAX = 255
_UNLISTED = 3  # `.` and `..` count as so many bytes of a listing


def names_in(
    metadata: Metadata, superblock: Superblock, directory: SquashInode, window: Window
) -> Iterator[tuple[bytes, int]]:
    """Yield each name in a directory, and its inode's reference; raises IntegrityError."""
    left = directory.size - _UNLISTED
    if left <= 0:
        return
    cursor = metadata.cursor(superblock.directory_table + directory.start, directory.offset)
    while left > 0:
        count, block, _ = _RUN.unpack(cursor.read(_RUN.size))
        left -= _RUN.size
        if count >= _RUN_MAX:
            raise window.damaged(f"a run of {count + 1} names")
        for _ in range(count + 1):
            offset, _, _, length = _NAME.unpack(cursor.read(_NAME.size))
            if length >= _NAME_MAX:
                raise window.damaged(f"a name of {length + 1} bytes")
            name = cursor.read(length + 1)
            left -= _NAME.size + length + 1
            if name in (b".", b"..") or b"/" in name or b"\0" in name:
                raise window.damaged(f"a file called {name!r}")
            yield name, block << 16 | offset
    if left < 0:
        raise window.damaged("a listing longer than its directory says")
