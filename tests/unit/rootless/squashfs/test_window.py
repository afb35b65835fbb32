"""`rootless.squashfs.window`: a part of a file, and nothing else of it."""

import os
from pathlib import Path

import pytest

from rootless.errors import IntegrityError
from rootless.squashfs.window import Window


@pytest.fixture
def fd(tmp_path: Path) -> int:
    """An open file of 100 bytes."""
    (tmp_path / "file").write_bytes(bytes(range(100)))
    return os.open(tmp_path / "file", os.O_RDONLY)


def test_reads_within(fd: int) -> None:
    """Positions count from the part's beginning."""
    window = Window(fd, 10, 20, "file")
    assert window.read(0, 3) == bytes([10, 11, 12])
    assert window.read(20, 0) == b""
    assert window.read_up_to(15, 100) == bytes(range(25, 30))
    os.close(fd)


@pytest.mark.parametrize(("position", "size"), [(19, 2), (-1, 1), (0, -1), (21, 0), (1 << 70, 1)])
def test_not_beyond(fd: int, position: int, size: int) -> None:
    """What lies outside of the part is not read, whatever there is."""
    with pytest.raises(IntegrityError, match="beyond the end"):
        Window(fd, 10, 20, "file").read(position, size)
    os.close(fd)


def test_a_shorter_file(fd: int) -> None:
    """A file that has less than it was thought to is damaged."""
    with pytest.raises(IntegrityError, match="file: the file ends early"):
        Window(fd, 90, 20, "file").read(0, 20)
    os.close(fd)
