"""Single objects of an upperdir and its workdir."""

import errno
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from fuse import upper_files
from fuse.place import Place
from fuse.upper_files import UpperFiles


@pytest.fixture
def files(tmp_path: Path) -> Iterator[UpperFiles]:
    """A workdir with what a killed server left."""
    (tmp_path / "#1").mkdir()
    (tmp_path / "#1/inside").touch()
    (tmp_path / "#2").touch()
    (tmp_path / "other").touch()
    fd = os.open(tmp_path, os.O_RDONLY)
    yield UpperFiles(fd)
    os.close(fd)


@pytest.fixture
def here(files: UpperFiles) -> int:
    """The workdir."""
    return files.work_place().fd


def no_flags(*_: object) -> None:
    """Refuse as NFS does."""
    raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))


def test_what_a_killed_server_left_goes(files: UpperFiles, here: int) -> None:
    """Its own names are removed, others stay."""
    assert files.names(here) == [b"other"]


def test_names_of_one_number(files: UpperFiles, here: int, tmp_path: Path) -> None:
    """All names of a special file are told from the others, by their number and their kind."""
    os.mkfifo(tmp_path / "fifo")
    os.link(tmp_path / "fifo", tmp_path / "same")
    os.mkfifo(tmp_path / "another")
    number = (tmp_path / "fifo").stat().st_ino
    found, others = files.names_by_number(here, number)
    assert (sorted(found), sorted(others)) == ([b"fifo", b"same"], [b"another", b"other"])
    assert not files.names_by_number(here, (tmp_path / "other").stat().st_ino)[0]


def test_a_failure_leaves_nothing_made(files: UpperFiles, here: int) -> None:
    """What was made in the block goes; what was there before does not."""

    def fail(place: Place) -> None:
        with files.made(place):
            files.make_empty_file(place)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with pytest.raises(OSError, match="No space"):
        fail(files.work_place())
    with pytest.raises(FileExistsError):
        fail(Place(here, b"other"))
    assert files.names(here) == [b"other"]


@pytest.mark.parametrize("steps", [1, 2])
def test_a_directory_takes_a_files_place(
    files: UpperFiles, here: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, steps: int
) -> None:
    """Whether the file system exchanges names or not."""
    if steps == 2:
        monkeypatch.setattr(upper_files, "renameat2", no_flags)
    work = files.work_place()
    os.mkdir(work.name, dir_fd=work.fd)
    files.take_place(work, Place(here, b"other"))
    assert (tmp_path / "other").is_dir()
    assert files.names(here) == [b"other"]


def test_a_swap_that_fails_in_the_middle(
    files: UpperFiles, here: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was moved aside comes back."""
    monkeypatch.setattr(upper_files, "renameat2", no_flags)
    with pytest.raises(FileNotFoundError):
        files.swap(Place(here, b"nothing"), Place(here, b"other"))
    assert (tmp_path / "other").is_file()


def test_other_errors_of_an_exchange_pass(files: UpperFiles, here: int) -> None:
    """A missing name is no reason to try another way."""
    with pytest.raises(FileNotFoundError):
        files.swap(Place(here, b"nothing"), Place(here, b"nor that"))
