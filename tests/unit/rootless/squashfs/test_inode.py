"""`rootless.squashfs.inode`: each form of inode, and what none may say."""

import os
import stat
import struct

import pytest

from rootless.errors import IntegrityError
from rootless.squashfs.inode import NO_FRAGMENT, NO_XATTRS, SquashInode, read_inode
from rootless.squashfs.metadata import Cursor, Metadata
from rootless.squashfs.window import Window

BLOCK_SIZE = 131072


def read(kind: int, body: bytes, mode: int = 0o640) -> SquashInode:
    """Read an inode of a type and a body."""
    data = struct.pack("<HHHHII", kind, mode, 1, 2, 1000, 77) + body
    fd = os.memfd_create("image")
    try:
        os.write(fd, (0x8000 | len(data)).to_bytes(2, "little") + data)
        window = Window(fd, 0, len(data) + 2, "image")
        return read_inode(Cursor(Metadata(window, 1), 0, 0, window), BLOCK_SIZE, window)
    finally:
        os.close(fd)


def test_head() -> None:
    """What all have in common; type bits in the mode are ignored."""
    inode = read(6, struct.pack("<I", 3), mode=0o170640)
    assert inode == SquashInode(stat.S_IFIFO | 0o640, 1, 2, 1000, 77, 3)


@pytest.mark.parametrize("is_long", [False, True])
def test_device(is_long: bool) -> None:  # noqa: FBT001
    """Numbers of devices are encoded as Linux does, in 32 bits."""
    encoded = (70000 & 0xFF) | 259 << 8 | (70000 & ~0xFF) << 12
    body = struct.pack("<II", 1, encoded) + (struct.pack("<I", 9) if is_long else b"")
    inode = read(11 if is_long else 4, body)
    assert (os.major(inode.rdev), os.minor(inode.rdev)) == (259, 70000)
    assert stat.S_ISBLK(inode.mode)
    assert inode.xattrs == (9 if is_long else NO_XATTRS)


def test_symbolic_link() -> None:
    """The target follows; the long form has attributes behind it."""
    assert read(3, struct.pack("<II", 1, 4) + b"/tmp").target == b"/tmp"
    inode = read(10, struct.pack("<II", 2, 1) + b"x" + struct.pack("<I", 5))
    assert (inode.target, inode.nlink, inode.xattrs) == (b"x", 2, 5)


def test_file() -> None:
    """A file's blocks: as many as its size has, the last one in a fragment or not."""
    sizes = struct.pack("<3I", 10, 20, 30)
    inode = read(2, struct.pack("<IIII", 96, NO_FRAGMENT, 0, 2 * BLOCK_SIZE + 1) + sizes)
    assert (inode.start, inode.size, inode.blocks) == (96, 2 * BLOCK_SIZE + 1, (10, 20, 30))
    inode = read(2, struct.pack("<IIII", 96, 4, 55, 2 * BLOCK_SIZE + 1) + sizes)
    assert (inode.blocks, inode.fragment, inode.offset) == ((10, 20), 4, 55)
    body = struct.pack("<QQQIIII", 1 << 33, 5, 0, 2, 0, 7, NO_XATTRS)
    inode = read(9, body)
    assert (inode.start, inode.nlink, inode.blocks) == (1 << 33, 2, ())


def test_directory() -> None:
    """Where a directory's listing is, in both forms."""
    inode = read(1, struct.pack("<IIHHI", 5, 2, 300, 40, 1))
    assert (inode.start, inode.offset, inode.size) == (5, 40, 300)
    inode = read(8, struct.pack("<IIIIHHI", 2, 70000, 5, 1, 0, 40, 3))
    assert (inode.start, inode.offset, inode.size, inode.xattrs) == (5, 40, 70000, 3)


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        (0, b""),
        (15, b""),
        (3, struct.pack("<II", 1, 0)),
        (3, struct.pack("<II", 1, 4097)),
        (3, struct.pack("<II", 1, 2) + b"a\0"),
        (9, struct.pack("<QQQIIII", 0, 1 << 63, 0, 1, NO_FRAGMENT, 0, NO_XATTRS)),
        (9, struct.pack("<QQQIIII", 0, 1 << 50, 0, 1, NO_FRAGMENT, 0, NO_XATTRS)),
        (2, struct.pack("<IIII", 0, NO_FRAGMENT, 0, 5)),  # the block's size is missing
    ],
)
def test_damaged(kind: int, body: bytes) -> None:
    """Types that there are not, and sizes that cannot be."""
    with pytest.raises(IntegrityError):
        read(kind, body)
