"""The system call."""

import os
from pathlib import Path

import pytest

from fuse.renameat2 import EXCHANGE, NOREPLACE, renameat2

AT_FDCWD = -100


def test_exchange_and_noreplace(tmp_path: Path) -> None:
    """Two files change names; a taken name is refused."""
    one, other = tmp_path / "1", tmp_path / "2"
    one.write_text("one")
    other.write_text("other")
    names = (AT_FDCWD, os.fsencode(one), AT_FDCWD, os.fsencode(other))
    renameat2(*names, EXCHANGE)
    assert (one.read_text(), other.read_text()) == ("other", "one")
    with pytest.raises(FileExistsError):
        renameat2(*names, NOREPLACE)
