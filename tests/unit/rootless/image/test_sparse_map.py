"""`rootless.image.sparse_map`: the map of real sparse files, and what it says to a reader."""

import os
import tarfile
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

import images
import pytest

from rootless.image import sparse_map
from rootless.image.sparse_map import SparseMap

MIB = 1 << 20
PAGE = 4096


def made(path: Path, size: int, pieces: Sequence[tuple[int, bytes]]) -> Path:
    """Write a file of holes with some pieces of data."""
    with path.open("wb") as file:
        file.truncate(size)
        for offset, data in pieces:
            os.pwrite(file.fileno(), data, offset)
        os.fsync(file.fileno())  # blocks are counted once they are given out
    return path


def mapped(path: Path, status: os.stat_result | None = None) -> SparseMap | None:
    """Return a file's map."""
    fd = os.open(path, os.O_RDONLY)
    try:
        return sparse_map.sparse_map(fd, status or os.fstat(fd))
    finally:
        os.close(fd)


def packed(path: Path, found: SparseMap) -> bytes:
    """Return a tar with the file in sparse format, as `folder_tar` lays it out."""
    with path.open("rb") as file:
        pieces = b"".join(os.pread(file.fileno(), n, at) for at, n in found.extents)
    assert len(pieces) == found.stored
    content = found.blocks() + pieces
    records = [(k.encode(), v.encode()) for k, v in found.records("log").items()]
    builder = images.LayerBuilder().file("GNUSparseFile.0/log", content, pax=records)
    return builder.tar()


@pytest.mark.parametrize(
    ("size", "pieces"),
    [
        (8 * MIB, [(4 * MIB, b"middle")]),
        (8 * MIB, [(0, b"begin"), (6 * MIB, b"later")]),
        (8 * MIB + 5, [(8 * MIB, b"12345")]),
        (8 * MIB, []),
        (3 * MIB + 1, [(0, b"x" * PAGE), (MIB, b"y" * PAGE)]),
    ],
    ids=["middle", "begin", "end", "nothing", "odd size"],
)
def test_another_reader_finds_the_same(
    size: int, pieces: list[tuple[int, bytes]], tmp_path: Path
) -> None:
    """A tar with the map and the pieces reads back as the file, holes and all, for tarfile."""
    path = made(tmp_path / "log", size, pieces)
    found = mapped(path)
    assert found is not None
    assert found.size == size
    assert found.stored < MIB
    with tarfile.open(fileobj=BytesIO(packed(path, found))) as archive:
        member = archive.getmember("log")
        assert member.size == size
        content = archive.extractfile(member)
        assert content is not None
        assert content.read() == path.read_bytes()


def test_terabytes_of_nothing(tmp_path: Path) -> None:
    """The size costs nothing: a file that is one hole has one empty piece, at its end."""
    size = 1 << 43
    found = mapped(made(tmp_path / "log", size, []))
    assert found == SparseMap(((size, 0),), size)
    assert found.stored == 0
    assert found.blocks() == images.padded(b"1\n%d\n0\n" % size)


@pytest.mark.parametrize(
    ("size", "pieces"),
    [
        (0, []),
        (10, [(0, b"0123456789")]),
        (2 * MIB, [(0, bytes(2 * MIB))]),
        (MIB, [(0, b"x" * PAGE)]),
    ],
    ids=["empty", "small", "zeros that are written", "small holes"],
)
def test_files_without_holes_worth_it(
    size: int, pieces: list[tuple[int, bytes]], tmp_path: Path
) -> None:
    """A file with less than 1 MiB of holes has no map."""
    assert mapped(made(tmp_path / "file", size, pieces)) is None


def test_more_pieces_than_readers_take(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file in too many pieces has no map; one with just as many as readers take has one."""
    monkeypatch.setattr(sparse_map, "_MAX_EXTENTS", 3)
    places = [i * 2 * MIB for i in range(4)]
    at_end = made(tmp_path / "three", 4 * MIB + PAGE, [(at, b"x" * PAGE) for at in places[:3]])
    found = mapped(at_end)
    assert found is not None
    assert len(found.extents) == 3
    more = made(tmp_path / "four", 6 * MIB + PAGE, [(at, b"x" * PAGE) for at in places])
    assert mapped(more) is None


def test_a_file_that_grows_meanwhile(tmp_path: Path) -> None:
    """Data beyond the size that the header tells is left out; no piece has less than nothing."""
    path = made(tmp_path / "log", 4 * MIB, [(0, b"x" * PAGE)])
    status = path.stat()
    with path.open("r+b") as file:
        file.seek(8 * MIB)
        file.write(b"more")
    assert mapped(path, status) == SparseMap(((0, PAGE), (4 * MIB, 0)), 4 * MIB)


def test_the_blocks_of_a_map() -> None:
    """Numbers stand one a line, and the pieces begin at a block of the tar."""
    found = SparseMap(((0, 512), (4096, 1)), 5000)
    assert found.blocks() == images.padded(b"2\n0\n512\n4096\n1\n")
    long = SparseMap(tuple((i * 8192, 4096) for i in range(1000)), 9_000_000)
    assert len(long.blocks()) % images.BLOCK == 0
    assert long.blocks().rstrip(b"\0").endswith(b"\n")
