"""Locks that tell a living owner's folder from a dead one's."""

import os
import stat
import threading
from pathlib import Path

import pytest

from rootless.linux.folder_lock import lock_dead, make_locked


def test_a_new_folder_is_locked(tmp_path: Path) -> None:
    """While its owner holds it nobody takes it for dead; afterwards everybody does."""
    fd = make_locked(tmp_path / "new")
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o700
    assert lock_dead(tmp_path / "new") is None
    os.close(fd)
    dead = lock_dead(tmp_path / "new")
    assert dead is not None
    os.close(dead)


def test_an_old_folder_is_not_taken(tmp_path: Path) -> None:
    """A folder that is there already is an error."""
    with pytest.raises(FileExistsError):
        make_locked(tmp_path)


@pytest.mark.parametrize("name", ["missing", "file", "link"])
def test_only_folders_are_dead(tmp_path: Path, name: str) -> None:
    """What is no folder, or a link to one, is nobody's."""
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to(tmp_path)
    assert lock_dead(tmp_path / name) is None


def test_taken_between_making_and_locking(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder that is swept before its owner has locked it is made again."""
    path = tmp_path / "new"
    real_mkdir = Path.mkdir
    made = []

    def mkdir_and_lose(self: Path, mode: int = 0o777) -> None:
        real_mkdir(self, mode)
        made.append(self)
        if len(made) == 1:
            sweeper_fd = lock_dead(self)
            assert sweeper_fd is not None
            self.rmdir()
            os.close(sweeper_fd)

    monkeypatch.setattr(Path, "mkdir", mkdir_and_lose)
    fd = make_locked(path)
    assert made == [path, path]
    assert os.path.samestat(os.fstat(fd), path.stat())
    os.close(fd)


def test_taken_while_waiting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An owner who waits for the sweeper's lock finds his folder gone and makes another."""
    path = tmp_path / "new"
    real_mkdir = Path.mkdir
    sweepers: list[threading.Timer] = []

    def mkdir_and_be_locked(self: Path, mode: int = 0o777) -> None:
        real_mkdir(self, mode)
        if sweepers:
            return
        sweeper_fd = lock_dead(self)
        assert sweeper_fd is not None

        def take(fd: int) -> None:
            self.rmdir()
            os.close(fd)

        sweepers.append(threading.Timer(0.05, take, (sweeper_fd,)))
        sweepers[0].start()

    monkeypatch.setattr(Path, "mkdir", mkdir_and_be_locked)
    fd = make_locked(path)
    sweepers[0].join()
    assert os.path.samestat(os.fstat(fd), path.stat())
    os.close(fd)
