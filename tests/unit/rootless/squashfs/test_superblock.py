"""`rootless.squashfs.superblock`: what an image says of itself, checked."""

import os
import struct
from pathlib import Path

import pytest

from rootless.errors import IntegrityError, InvalidInput
from rootless.squashfs.superblock import SIZE, Superblock, read_superblock
from rootless.squashfs.window import Window

GOOD = {
    "magic": b"hsqs",
    "inodes": 2,
    "modified": 1_600_000_000,
    "block_size": 131072,
    "fragments": 0,
    "compressor": 1,
    "block_log": 17,
    "flags": 0,
    "ids": 1,
    "major": 4,
    "minor": 0,
    "root": 0,
    "bytes_used": 400,
    "id_table": 390,
    "xattr_table": (1 << 64) - 1,
    "inode_table": 96,
    "directory_table": 200,
    "fragment_table": 300,
    "export_table": (1 << 64) - 1,
}


def read(tmp_path: Path, **changes: object) -> Superblock:
    """Read a superblock with changes."""
    fields = GOOD | changes
    data = struct.pack("<4sIIIIHHHHHHQQQQQQQQ", *fields.values())
    assert len(data) == SIZE
    (tmp_path / "image").write_bytes(data.ljust(400, b"\0"))
    fd = os.open(tmp_path / "image", os.O_RDONLY)
    try:
        return read_superblock(Window(fd, 0, 400, "image"), "image")
    finally:
        os.close(fd)


def test_reads(tmp_path: Path) -> None:
    """All fields are where they belong."""
    assert read(tmp_path)._asdict() == GOOD


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"major": 3}, "version 3.0"),
        ({"minor": 1}, "version 4.1"),
        ({"compressor": 2}, "LZMA"),
        ({"compressor": 77}, "compressor 77"),
    ],
)
def test_what_is_not_known(tmp_path: Path, changes: dict[str, int], said: str) -> None:
    """Other versions and compressors are named, with what to do."""
    with pytest.raises(InvalidInput, match=said):
        read(tmp_path, **changes)


@pytest.mark.parametrize(
    "changes",
    [
        {"magic": b"sqsh"},
        {"block_size": 0},
        {"block_size": 1 << 21, "block_log": 21},
        {"block_log": 16},
        {"block_size": 131073},
        {"bytes_used": 401},
        {"inode_table": 200},
        {"directory_table": 500},
    ],
)
def test_damaged(tmp_path: Path, changes: dict[str, object]) -> None:
    """What cannot be is damage."""
    with pytest.raises(IntegrityError):
        read(tmp_path, **changes)
