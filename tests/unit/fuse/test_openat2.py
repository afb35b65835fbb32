"""Opening what lies below a directory."""

import errno
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from fuse.openat2 import open_beneath


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[int]:
    """A folder with a file, links of every kind, and a secret beside it."""
    (tmp_path / "secret").touch()
    inside = tmp_path / "folder"
    (inside / "real").mkdir(parents=True)
    (inside / "real" / "file").write_text("x")
    for name, to in (("link", "real"), ("up", "../secret"), ("absolute", "/"), ("loop", "loop")):
        (inside / name).symlink_to(to)
    fd = os.open(inside, os.O_PATH | os.O_DIRECTORY)
    yield fd
    os.close(fd)


def test_what_lies_below(folder: int) -> None:
    """A file is opened, by a descriptor that no program inherits."""
    with open(open_beneath(folder, b"real/file", os.O_RDONLY), encoding="ascii") as file:
        assert file.read() == "x"
        assert not os.get_inheritable(file.fileno())


@pytest.mark.parametrize(
    ("path", "number"),
    [
        (b"link/file", errno.ELOOP),
        (b"up", errno.ELOOP),
        (b"absolute/etc/passwd", errno.ELOOP),
        (b"loop", errno.ELOOP),
        (b"../secret", errno.EXDEV),
        (b"/etc/passwd", errno.EXDEV),
        (b"real/../../secret", errno.EXDEV),
        (b"none", errno.ENOENT),
        (b"real/file/below", errno.ENOTDIR),
    ],
)
def test_nothing_leads_out(folder: int, path: bytes, number: int) -> None:
    """Links, climbing and absolute paths are refused, with the path in the error."""
    with pytest.raises(OSError, match=r".") as caught:
        open_beneath(folder, path, os.O_RDONLY)
    assert (caught.value.errno, caught.value.filename) == (number, path)


def test_a_link_itself(folder: int) -> None:
    """A link is opened as a link where one asks for that."""
    fd = open_beneath(folder, b"up", os.O_PATH | os.O_NOFOLLOW)
    try:
        assert os.readlink(b"", dir_fd=fd) == b"../secret"
    finally:
        os.close(fd)


def test_mounts_are_not_crossed() -> None:
    """What another file system holds is not below."""
    fd = os.open("/", os.O_PATH | os.O_DIRECTORY)
    try:
        with pytest.raises(OSError, match="cross-device"):
            open_beneath(fd, b"proc/self", os.O_PATH)
    finally:
        os.close(fd)
