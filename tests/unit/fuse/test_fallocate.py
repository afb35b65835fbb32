"""fallocate(2) in all its modes."""

import errno
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from fuse.fallocate import fallocate

KEEP_SIZE, PUNCH_HOLE = 1, 2


@pytest.fixture
def fd(tmp_path: Path) -> Iterator[int]:
    """A file of 64 KiB."""
    (tmp_path / "file").write_bytes(b"x" * 65_536)
    opened = os.open(tmp_path / "file", os.O_RDWR)
    yield opened
    os.close(opened)


def test_allocates(fd: int) -> None:
    """The file grows to hold the range, unless its size is to be kept."""
    fallocate(fd, 0, 60_000, 10_000)
    assert os.fstat(fd).st_size == 70_000
    fallocate(fd, KEEP_SIZE, 0, 200_000)
    assert os.fstat(fd).st_size == 70_000


def test_punches(fd: int) -> None:
    """A hole reads as zeros and takes no room; what lies around it stays."""
    before = os.fstat(fd).st_blocks
    fallocate(fd, KEEP_SIZE | PUNCH_HOLE, 8192, 32_768)
    assert os.pread(fd, 65_536, 0) == b"x" * 8192 + bytes(32_768) + b"x" * 24_576
    assert os.fstat(fd).st_blocks < before


def test_an_offset_beyond_32_bits(fd: int) -> None:
    """Offset and length are as wide as files are."""
    fallocate(fd, 0, 5 << 32, 1)
    assert os.fstat(fd).st_size == (5 << 32) + 1
    os.ftruncate(fd, 0)


@pytest.mark.parametrize(
    ("mode", "length", "number"), [(PUNCH_HOLE, 1, errno.EOPNOTSUPP), (0, 0, errno.EINVAL)]
)
def test_what_the_kernel_refuses(fd: int, mode: int, length: int, number: int) -> None:
    """Its errno is raised."""
    with pytest.raises(OSError, match=os.strerror(number)):
        fallocate(fd, mode, 0, length)
