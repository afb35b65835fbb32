"""Copying between files."""

import errno
import os
from pathlib import Path

import pytest

from fuse.copy_range import copy_range


def test_a_part(tmp_path: Path) -> None:
    """The bytes asked for arrive where they were asked to."""
    (tmp_path / "source").write_bytes(bytes(range(100)))
    with open(tmp_path / "source", "rb") as source, open(tmp_path / "target", "w+b") as target:
        copy_range(source.fileno(), 10, target.fileno(), 5, 20)
    assert (tmp_path / "target").read_bytes() == bytes(5) + bytes(range(10, 30))


@pytest.mark.parametrize(("source_at", "target_at"), [(0, 0), (4096, 0), (512, 512), (1536, 0)])
def test_in_step_or_not(tmp_path: Path, source_at: int, target_at: int) -> None:
    """However both lie in their pages, in one piece or several; none but the bytes asked for."""
    length, contents = 700_000, os.urandom(800_000)
    (tmp_path / "source").write_bytes(contents)
    with open(tmp_path / "source", "rb") as source, open(tmp_path / "target", "w+b") as target:
        copy_range(source.fileno(), source_at, target.fileno(), target_at, length)
    copied = contents[source_at : source_at + length]
    assert (tmp_path / "target").read_bytes() == bytes(target_at) + copied


def test_where_the_kernel_cannot(tmp_path: Path) -> None:
    """A source that copy_file_range(2) refuses is read and written."""
    (tmp_path / "target").touch()
    with open("/proc/self/status", "rb") as source, open(tmp_path / "target", "w+b") as target:
        copy_range(source.fileno(), 0, target.fileno(), 0, 5)
    assert (tmp_path / "target").read_bytes() == b"Name:"


@pytest.mark.parametrize("number", [errno.EXDEV, errno.EINVAL, errno.ENOSYS])
def test_where_the_kernel_refuses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    """It is asked once, and then there are reads and writes."""
    asked = []

    def refuse(*args: object) -> int:
        asked.append(args)
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "copy_file_range", refuse)
    (tmp_path / "source").write_bytes(bytes(8192) + b"contents")
    with open(tmp_path / "source", "rb") as source, open(tmp_path / "target", "w+b") as target:
        copy_range(source.fileno(), 8192, target.fileno(), 0, 8)
    assert (tmp_path / "target").read_bytes() == b"contents"
    assert len(asked) == 1


def test_a_source_that_is_too_short(tmp_path: Path) -> None:
    """What is missing is an I/O error, not silence."""
    (tmp_path / "source").write_bytes(b"short")
    with open(tmp_path / "source", "rb") as source, open(tmp_path / "target", "w+b") as target:
        with pytest.raises(OSError) as raised:  # noqa: PT011 - the number says which
            copy_range(source.fileno(), 0, target.fileno(), 0, 6)
        assert raised.value.errno == errno.EIO
        assert os.fstat(target.fileno()).st_size == 5
        with pytest.raises(OSError, match="shorter"):
            copy_range(source.fileno(), 1, target.fileno(), 0, 6)
