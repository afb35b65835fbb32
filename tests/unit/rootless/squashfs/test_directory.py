"""`rootless.squashfs.directory`: listings."""

import os
import struct
from dataclasses import replace

import pytest

from rootless.errors import IntegrityError
from rootless.squashfs.directory import names_in
from rootless.squashfs.inode import SquashInode
from rootless.squashfs.metadata import Metadata
from rootless.squashfs.superblock import Superblock
from rootless.squashfs.window import Window

DIRECTORY = SquashInode(0o040755, 0, 0, 0, 1)


def run(block: int, names: list[tuple[bytes, int]]) -> bytes:
    """Return a run of names, with the offsets of their inodes."""
    entries = [struct.pack("<HhHH", at, 0, 2, len(name) - 1) + name for name, at in names]
    return struct.pack("<III", len(names) - 1, block, 1) + b"".join(entries)


def listed(data: bytes, size: int | None = None) -> list[tuple[bytes, int]]:
    """Read a listing."""
    fd = os.memfd_create("image")
    try:
        os.write(fd, (0x8000 | len(data)).to_bytes(2, "little") + data)
        window = Window(fd, 0, len(data) + 2, "image")
        superblock = Superblock(*[0] * 19)
        directory = replace(DIRECTORY, size=(len(data) if size is None else size) + 3)
        return list(names_in(Metadata(window, 1), superblock, directory, window))
    finally:
        os.close(fd)


def test_runs() -> None:
    """Names of several runs, each with its inode's place."""
    data = run(100, [(b"a", 0), (b"b", 32)]) + run(300, [(b"c" * 256, 8191)])
    with pytest.raises(IntegrityError, match="a name of 256 bytes"):
        listed(data)
    data = run(100, [(b"a", 0), (b"b", 32)]) + run(300, [(b"c" * 255, 8191)])
    assert listed(data) == [
        (b"a", 100 << 16),
        (b"b", 100 << 16 | 32),
        (b"c" * 255, 300 << 16 | 8191),
    ]


def test_empty() -> None:
    """A directory without names has no listing."""
    assert listed(b"x", size=0) == []


@pytest.mark.parametrize("name", [b".", b"..", b"a/b", b"a\0"])
def test_names_that_are_none(name: bytes) -> None:
    """Names that lead elsewhere are refused."""
    with pytest.raises(IntegrityError, match="a file called"):
        listed(run(0, [(name, 0)]))


def test_damaged() -> None:
    """Runs of too many names, and listings of another length."""
    with pytest.raises(IntegrityError, match="a run of 257 names"):
        listed(struct.pack("<III", 256, 0, 0) + bytes(100))
    with pytest.raises(IntegrityError):
        listed(run(0, [(b"a", 0)]), size=10)
    with pytest.raises(IntegrityError):
        listed(run(0, [(b"a", 0)]), size=1000)
