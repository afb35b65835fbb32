"""`rootless.squashfs.metadata`: blocks that are read as one run of bytes."""

import os
import zlib
from collections.abc import Callable, Iterator

import pytest

from rootless.errors import IntegrityError
from rootless.squashfs.metadata import Metadata
from rootless.squashfs.window import Window

BLOCK = 8192
Open = Callable[[bytes], Metadata]


@pytest.fixture
def opened() -> Iterator[Open]:
    """Give what makes metadata of these bytes."""

    def make(data: bytes) -> Metadata:
        fds.append(os.memfd_create("image"))
        os.write(fds[-1], data)
        return Metadata(Window(fds[-1], 0, len(data), "image"), 1)

    fds: list[int] = []
    yield make
    for fd in fds:
        os.close(fd)


def block(data: bytes, *, raw: bool = False) -> bytes:
    """Return a metadata block."""
    stored = data if raw else zlib.compress(data)
    return (len(stored) | (0x8000 if raw else 0)).to_bytes(2, "little") + stored


def test_across_blocks(opened: Open) -> None:
    """Reading goes on in the next block, be it compressed or not."""
    first, second, third = b"a" * BLOCK, b"b" * BLOCK, b"c" * 10
    metadata = opened(block(first) + block(second, raw=True) + block(third))
    cursor = metadata.cursor(0, BLOCK - 2)
    assert cursor.read(4) == b"aabb"
    assert cursor.read(BLOCK) == b"b" * (BLOCK - 2) + b"cc"
    assert cursor.read(8) == b"c" * 8
    with pytest.raises(IntegrityError):
        cursor.read(1)


def test_a_place_within(opened: Open) -> None:
    """An offset beyond a block is no place."""
    metadata = opened(block(b"12345"))
    assert metadata.cursor(0, 5).read(0) == b""
    with pytest.raises(IntegrityError, match="a place beyond"):
        metadata.cursor(0, 6)


@pytest.mark.parametrize(
    "data", [b"\0\0", b"\x00\x80", b"\xff\xff" + bytes(9000), b"\x05\x00abcde", b"\x01", block(b"")]
)
def test_damaged(opened: Open, data: bytes) -> None:
    """Blocks of no bytes, of too many, and of other bytes."""
    with pytest.raises(IntegrityError):
        opened(data).block(0)


def test_table(opened: Open) -> None:
    """A table's blocks are found by a list of places."""
    rows = bytes(range(256)) * 40
    first, second = block(rows[:BLOCK]), block(rows[BLOCK:])
    places = (0).to_bytes(8, "little") + len(first).to_bytes(8, "little")
    metadata = opened(first + second + places)
    assert metadata.table(len(first) + len(second), len(rows) // 4, 4) == rows
    with pytest.raises(IntegrityError):
        metadata.table(len(first) + len(second), 100_000, 4)
