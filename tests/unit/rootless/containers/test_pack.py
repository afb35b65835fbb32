"""`rootless.containers.pack`: what is read, and what a race cannot make it read."""

import os
import socket
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

import pytest

from rootless.containers.pack import Packer
from rootless.errors import InvalidInput


@contextmanager
def packer(path: Path | str, name: str = ".") -> Iterator[Packer]:
    """Give what packs a path."""
    fd = os.open(path, os.O_PATH)
    try:
        yield Packer(fd, name)
    finally:
        os.close(fd)


def members(path: Path | str, name: str = ".") -> dict[str, tarfile.TarInfo]:
    """Return the members of the tar of a path."""
    with (
        packer(path, name) as found,
        tarfile.open(fileobj=BytesIO(b"".join(found.chunks()))) as tar,
    ):
        return {member.name: member for member in tar}


def test_a_folder(tmp_path: Path) -> None:
    """Everything below it, sorted, under its name; links as links, linked names once."""
    (tmp_path / "d" / "e").mkdir(parents=True)
    (tmp_path / "d" / "b").write_text("text")
    os.link(tmp_path / "d" / "b", tmp_path / "d" / "e" / "a")
    (tmp_path / "d" / "l").symlink_to("/etc/passwd")
    found = members(tmp_path / "d", "top")
    assert list(found) == ["top", "top/b", "top/e", "top/e/a", "top/l"]
    assert found["top/e/a"].linkname == "top/b"
    assert found["top/l"].linkname == "/etc/passwd"
    assert list(members(tmp_path / "d")) == [".", "b", "e", "e/a", "l"]


def test_holes_stay_holes(tmp_path: Path) -> None:
    """A file of holes is as short in the tar as its data."""
    with (tmp_path / "f").open("wb") as file:
        file.truncate(1 << 40)
    with packer(tmp_path) as found:
        assert len(b"".join(found.chunks())) < 1 << 16


def test_a_file_that_tells_no_size() -> None:
    """A file of /proc has its contents all the same."""
    (found,) = members("/proc/self/comm").values()
    assert found.size > 0


def test_a_socket_is_left_out(tmp_path: Path) -> None:
    """It is told."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(os.path.relpath(tmp_path / "s"))
    with packer(tmp_path) as found:
        list(found.chunks())
        assert found.left_out == ["s (a socket)"]


@pytest.mark.needs_user
def test_what_cannot_be_read_is_named(tmp_path: Path) -> None:
    """The error says which file."""
    (tmp_path / "f").touch(mode=0)
    with packer(tmp_path, "d") as found, pytest.raises(PermissionError) as error:
        list(found.chunks())
    assert error.value.filename == "d/f"


def test_a_folder_that_becomes_a_link(tmp_path: Path) -> None:
    """A link that takes a folder's place after the listing leads nowhere."""
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "key").touch()
    top = tmp_path / "top"
    (top / "d").mkdir(parents=True)
    (top / "a").write_bytes(b"x" * (2 << 20))
    with packer(top) as found:
        chunks = found.chunks()
        first = [next(chunks) for _ in range(3)]  # the top is listed, and `a` is being read
        (top / "d").rmdir()
        (top / "d").symlink_to(tmp_path / "secret")
        tar = b"".join([*first, *chunks])
    with tarfile.open(fileobj=BytesIO(tar)) as archive:
        assert [(m.name, m.issym()) for m in archive] == [(".", False), ("a", False), ("d", True)]


def test_a_parent_that_becomes_a_link(tmp_path: Path) -> None:
    """What is below it is missing then."""
    (tmp_path / "secret" / "e").mkdir(parents=True)
    (tmp_path / "secret" / "e" / "key").touch()
    top = tmp_path / "top"
    (top / "d" / "e").mkdir(parents=True)
    (top / "d" / "a").write_bytes(b"x" * (2 << 20))
    with packer(top) as found:
        chunks = found.chunks()
        first = [next(chunks) for _ in range(4)]
        (top / "d").rename(tmp_path / "gone")
        (top / "d").symlink_to(tmp_path / "secret")
        tar = b"".join([*first, *chunks])
    assert b"key" not in tar


def test_a_file_that_shrinks(tmp_path: Path) -> None:
    """Nothing is made up for what is gone."""
    (tmp_path / "f").write_bytes(b"x" * (3 << 20))
    with packer(tmp_path) as found:
        chunks = found.chunks()
        for _ in range(3):
            next(chunks)
        os.truncate(tmp_path / "f", 5)
        with pytest.raises(InvalidInput, match="changed while it was read"):
            list(chunks)
