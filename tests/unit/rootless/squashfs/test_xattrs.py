"""`rootless.squashfs.xattrs`: sets of extended attributes."""

import os
import struct

import pytest

from rootless.errors import IntegrityError
from rootless.squashfs.metadata import Metadata
from rootless.squashfs.superblock import NONE, Superblock
from rootless.squashfs.window import Window
from rootless.squashfs.xattrs import XattrTable


def table(pairs: bytes, sets: list[tuple[int, int, int]]) -> XattrTable:
    """Return a table of sets: a place in the pairs, a count, and a size."""
    data = (0x8000 | len(pairs)).to_bytes(2, "little") + pairs
    ids = b"".join(struct.pack("<QII", *each) for each in sets)
    ids_at = len(data)
    data += (0x8000 | len(ids)).to_bytes(2, "little") + ids
    place = len(data)
    data += struct.pack("<QIIQ", 0, len(sets), 0, ids_at)
    fd = os.memfd_create("image")
    os.write(fd, data)
    window = Window(fd, 0, len(data), "image")
    superblock = Superblock(*[0] * 19)._replace(xattr_table=place)
    found = XattrTable(Metadata(window, 1), superblock, window)
    for number in range(len(sets)):  # while the file is open
        try:
            found.read(number)
        except IntegrityError:
            os.close(fd)
            raise
    os.close(fd)
    return found


def pair(kind: int, name: bytes, value: bytes) -> bytes:
    """Return a name and a value."""
    return struct.pack("<HH", kind, len(name)) + name + struct.pack("<I", len(value)) + value


def test_names_and_values() -> None:
    """Each namespace has its prefix; a value may lie elsewhere."""
    first = pair(0, b"a", b"1") + pair(2, b"capability", b"c" * 20)
    elsewhere = pair(0x101, b"big", struct.pack("<Q", 0))  # the value of the pair at 0
    inside = struct.pack("<I", 3) + b"xyz"
    data = inside + first + elsewhere
    found = table(data, [(len(inside), 3, 50), (len(inside), 1, 5)])
    assert found.read(0) == {
        b"user.a": b"1",
        b"security.capability": b"c" * 20,
        b"trusted.big": b"xyz",
    }
    assert found.read(1) == {b"user.a": b"1"}
    with pytest.raises(IntegrityError, match="of number 2"):
        found.read(2)


def test_none() -> None:
    """An image without a table has none of any number."""
    window = Window(-1, 0, 0, "image")
    superblock = Superblock(*[0] * 19)._replace(xattr_table=NONE)
    with pytest.raises(IntegrityError):
        XattrTable(Metadata(window, 1), superblock, window).read(0)


@pytest.mark.parametrize(
    ("data", "each"),
    [
        (pair(7, b"a", b""), (0, 1, 5)),
        (pair(0, b"n" * 256, b""), (0, 1, 5)),
        (pair(0, b"a\0", b""), (0, 1, 5)),
        (pair(0, b"a", b"")[:-4] + struct.pack("<I", 70_000), (0, 1, 5)),
        (pair(0, b"a", b""), (0, 1 << 30, 5)),
        (pair(0, b"a", b""), (0, 1, 2 << 20)),
        (pair(0, b"a", b""), (99, 1, 5)),
    ],
)
def test_damaged(data: bytes, each: tuple[int, int, int]) -> None:
    """Unknown namespaces, and what is larger than Linux has it."""
    with pytest.raises(IntegrityError):
        table(data, [each])
