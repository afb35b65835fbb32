"""Folders whose owner's life can be told."""

import os
from pathlib import Path

import pytest

from rootless.linux.folder_lock import lock_dead, make_locked


def test_owner_that_lives_and_owner_that_is_gone(tmp_path: Path) -> None:
    """While the owner holds its descriptor nobody else gets the lock; afterwards anybody."""
    folder = tmp_path / "run"
    fd = make_locked(folder)
    assert folder.stat().st_mode & 0o777 == 0o700
    assert lock_dead(folder) is None
    os.close(fd)
    taken = lock_dead(str(folder))
    assert taken is not None
    assert lock_dead(folder) is None
    os.close(taken)


def test_what_is_no_folder_of_anybody(tmp_path: Path) -> None:
    """A missing path, a file and a link are nobody's; a folder that is there is not made again."""
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to(tmp_path)
    assert [lock_dead(tmp_path / name) for name in ("none", "file", "link")] == [None] * 3
    with pytest.raises(FileExistsError):
        make_locked(tmp_path)
