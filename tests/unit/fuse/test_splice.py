"""Moving a run of a file behind a head."""

import errno
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from fuse import splice
from fuse.splice import PIECE_MAX, Piece, Splicer


@pytest.fixture
def splicer() -> Iterator[Splicer]:
    """One with its pipe closed at the end."""
    made = Splicer()
    yield made
    made.close()


@pytest.fixture
def file(tmp_path: Path) -> Iterator[int]:
    """A file of numbered lines."""
    path = tmp_path / "file"
    path.write_bytes(b"".join(b"%07d\n" % number for number in range(200_000)))
    fd = os.open(path, os.O_RDWR)
    yield fd
    os.close(fd)


@pytest.mark.parametrize(("offset", "size"), [(0, 4096), (513, 1), (12_345, PIECE_MAX)])
def test_head_and_contents(
    splicer: Splicer, file: int, tmp_path: Path, offset: int, size: int
) -> None:
    """They arrive one after the other, wherever the run begins."""
    target = os.open(tmp_path / "target", os.O_CREAT | os.O_RDWR)
    splicer.send(target, b"head", Piece(file, offset, size))
    assert os.pread(target, 2 * size + 4, 0) == b"head" + os.pread(file, size, offset)
    os.close(target)


def test_a_file_that_ends_early(splicer: Splicer, file: int) -> None:
    """EIO, nothing is sent, and the next message is whole."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        end = os.fstat(file).st_size
        with pytest.raises(OSError, match="shorter") as raised:
            splicer.send(ours.fileno(), b"head", Piece(file, end - 10, 100))
        assert raised.value.errno == errno.EIO
        splicer.send(ours.fileno(), b"next", Piece(file, 0, 8))
        assert theirs.recv(100) == b"next0000000\n"


def test_a_descriptor_that_takes_nothing(splicer: Splicer, file: int) -> None:
    """What it says is raised, and the pipe is fresh afterwards."""
    reader, writer = os.pipe()
    with pytest.raises(OSError, match="Bad file"):
        splicer.send(reader, b"head", Piece(file, 0, 8))
    splicer.send(writer, b"next", Piece(file, 8, 8))
    assert os.read(reader, 100) == b"next0000001\n"
    os.close(reader)
    os.close(writer)


def test_a_pipe_that_must_stay_small(
    splicer: Splicer, file: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A user whose pipes hold as much as they may is told so each time, and nothing waits."""
    before = len(os.listdir("/proc/self/fd"))
    target = os.open(tmp_path / "target", os.O_CREAT | os.O_RDWR)

    def refuse(*_: object) -> None:
        raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))

    with monkeypatch.context() as patched:
        patched.setattr("fuse.splice.fcntl.fcntl", refuse)
        for _ in range(2):
            with pytest.raises(PermissionError):
                splicer.send(target, b"head", Piece(file, 0, PIECE_MAX))
    assert len(os.listdir("/proc/self/fd")) == before + 1
    splicer.send(target, b"head", Piece(file, 0, PIECE_MAX))
    assert os.fstat(target).st_size == 4 + PIECE_MAX
    os.close(target)


def test_closing(file: int, tmp_path: Path) -> None:
    """The pipe is made at the first message, and closing twice is harmless."""
    before = len(os.listdir("/proc/self/fd"))
    splicer = Splicer()
    target = os.open(tmp_path / "target", os.O_CREAT | os.O_RDWR)
    splicer.send(target, b"x", Piece(file, 0, 1))
    splicer.close()
    splicer.close()
    os.close(target)
    assert len(os.listdir("/proc/self/fd")) == before


@pytest.mark.needs_user
def test_a_pipe_that_may_not_be_large(
    splicer: Splicer, file: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each message fails at once: none waits for room in a pipe that stayed small."""
    monkeypatch.setattr(splice, "PIPE_BYTES", 1 << 30)  # more than an ordinary user's may hold
    for _ in range(2):
        with pytest.raises(PermissionError):
            splicer.send(1, b"head", Piece(file, 0, 200_000))
