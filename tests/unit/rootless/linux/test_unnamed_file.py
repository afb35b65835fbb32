"""Files that have no name while they are written."""

import errno
import os
from pathlib import Path

import pytest

from rootless.linux.unnamed_file import give_name, open_unnamed


def written(folder: Path, text: bytes) -> int:
    """Write a file without a name."""
    fd = open_unnamed(folder, 0o666)
    assert fd >= 0
    os.write(fd, text)
    return fd


def test_it_appears_when_it_is_named(tmp_path: Path) -> None:
    """Nothing is there before; it has the mode that the umask leaves."""
    before = os.umask(0o026)
    try:
        fd = written(tmp_path, b"text")
    finally:
        os.umask(before)
    assert os.listdir(tmp_path) == []
    give_name(fd, tmp_path / "file", tmp_path / "beside")
    os.close(fd)
    assert os.listdir(tmp_path) == ["file"]
    assert (tmp_path / "file").read_bytes() == b"text"
    assert (tmp_path / "file").stat().st_mode & 0o777 == 0o640


def test_it_replaces(tmp_path: Path) -> None:
    """What had the name goes, also where it is a link."""
    (tmp_path / "file").symlink_to("nowhere")
    fd = written(tmp_path, b"new")
    give_name(fd, tmp_path / "file", tmp_path / "beside")
    os.close(fd)
    assert os.listdir(tmp_path) == ["file"]
    assert not (tmp_path / "file").is_symlink()


def test_a_folder_is_not_replaced(tmp_path: Path) -> None:
    """The file is given up, and leaves nothing."""
    (tmp_path / "file").mkdir()
    fd = written(tmp_path, b"new")
    with pytest.raises(IsADirectoryError):
        give_name(fd, tmp_path / "file", tmp_path / "beside")
    os.close(fd)
    assert os.listdir(tmp_path) == ["file"]


def test_where_it_cannot_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file system without such files is told from a folder that is not there."""
    with pytest.raises(FileNotFoundError):
        open_unnamed(tmp_path / "none", 0o600)

    def as_on_nfs(*_: object) -> int:
        raise OSError(errno.EOPNOTSUPP, "Operation not supported")

    monkeypatch.setattr(os, "open", as_on_nfs)
    assert open_unnamed(tmp_path, 0o600) == -1
