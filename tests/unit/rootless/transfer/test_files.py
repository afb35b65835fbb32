"""`rootless.transfer.files`: files of an image in a folder, or as the members of a tar."""

import io
import os
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from rootless.errors import StoreError
from rootless.transfer.files import Files, FolderFiles, TarFiles


def fill(files: Files) -> None:
    """Write a small file, one of known size, and one whose name comes at its end."""
    files.write("first", b"1")
    with files.create("blobs/known", 1000) as output:
        output.write(b"k" * 400)
        output.write(b"k" * 600)
    with files.create("blobs/") as output:
        output.write(b"late")
        output.name = "blobs/late"


EXPECTED = {"first": b"1", "blobs/known": b"k" * 1000, "blobs/late": b"late"}


def tar_contents(data: bytes) -> dict[str, bytes]:
    """Return the files of a tar, read by the standard library."""
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        found = {}
        for member in archive:
            file = archive.extractfile(member)
            if file is not None:
                found[member.name] = file.read()
            else:
                assert member.isdir()
    return found


def through_pipe(work: Callable[[int], None]) -> bytes:
    """Return what is written to a pipe that cannot go back."""
    reader, writer = os.pipe()
    with open(reader, "rb") as out:
        work(writer)
        os.close(writer)
        return out.read()


def written(fd: int) -> None:
    """Write a whole tar."""
    files = TarFiles(fd, "here")
    fill(files)
    assert files.has("blobs/late")
    assert not files.has("blobs/other")
    files.end()


def test_tar_is_the_same_in_a_file_and_through_a_pipe(tmp_path: Path) -> None:
    """A member of unknown size is put aside for a pipe, and comes out the same."""
    with (tmp_path / "a.tar").open("wb") as file:
        written(file.fileno())
    data = (tmp_path / "a.tar").read_bytes()
    assert tar_contents(data) == EXPECTED
    assert through_pipe(written) == data


def test_folders_stand_before_what_is_in_them(tmp_path: Path) -> None:
    """containers/image makes no folder that is not a member."""
    with (tmp_path / "a.tar").open("wb") as file:
        written(file.fileno())
    with tarfile.open(tmp_path / "a.tar") as archive:
        assert archive.getnames() == ["first", "blobs", "blobs/known", "blobs/late"]


def test_appended_tar_is_not_written_over(tmp_path: Path) -> None:
    """With `>>` the kernel writes at the end alone, so nothing may go back."""
    path = tmp_path / "a.tar"
    with path.open("ab") as file:
        written(file.fileno())
    assert tar_contents(path.read_bytes()) == EXPECTED


def test_folder_has_files_when_they_are_complete(tmp_path: Path) -> None:
    """A file that is not finished, or fails, is not there and leaves nothing."""
    files = FolderFiles(tmp_path / "f", "f")
    fill(files)
    for name, content in EXPECTED.items():
        assert (tmp_path / "f" / name).read_bytes() == content
        assert files.has(name)
    assert files.read("first", 10) == b"1"
    assert files.read("nothing", 10) == b""
    with files.create("blobs/") as output:
        output.write(b"x")
        output.name = "blobs/x"
        assert not files.has("blobs/x")
    with pytest.raises(TypeError), files.create("blobs/y") as output:
        output.write("no bytes")  # type: ignore[arg-type]
    assert sorted(os.listdir(tmp_path / "f" / "blobs")) == ["known", "late", "x"]


def test_full_disk_is_a_line_about_the_file() -> None:
    """ENOSPC names what the user called it."""
    fd = os.open("/dev/full", os.O_WRONLY)
    try:
        with pytest.raises(StoreError, match="no space left on the device: here"):
            TarFiles(fd, "here").write("name", b"content")
    finally:
        os.close(fd)
