"""`rootless.replace_file`: a file is there whole, or as it was."""

import os
from pathlib import Path

import pytest

from rootless.replace_file import replace_file


def test_replaced(tmp_path: Path) -> None:
    """It has the contents and the permissions, and is another file than before."""
    path = tmp_path / "f"
    path.write_text("old")
    with open(path, "rb") as reader:
        replace_file(path, b"new", 0o755)
        assert reader.read() == b"old"
    assert path.read_bytes() == b"new"
    assert path.stat().st_mode & 0o777 == 0o755
    replace_file(path, b"")
    assert path.stat().st_mode & 0o777 == 0o600
    assert os.listdir(tmp_path) == ["f"]


def test_nothing_is_left(tmp_path: Path) -> None:
    """Where it cannot have its name, what was written goes."""
    (tmp_path / "f").mkdir()
    with pytest.raises(IsADirectoryError):
        replace_file(tmp_path / "f", b"new")
    assert os.listdir(tmp_path) == ["f"]
