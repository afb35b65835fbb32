"""`rootless.image.pack_contents`: tars one after the other, plain and in chunks."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from rootless.image.coded_chunks import CHUNK
from rootless.image.layers import ChunkTable, chunk_table
from rootless.image.pack_contents import CodedContents, Output, PlainContents


@pytest.fixture
def fd() -> Iterator[int]:
    """Give an empty file."""
    fd = os.memfd_create("pack")
    yield fd
    os.close(fd)


def test_plain(fd: int) -> None:
    """Each tar begins at a page's beginning."""
    contents = PlainContents(Output(fd, 100))
    assert contents.add([b"one", b"two"]) == 4096
    assert contents.add([b"three"]) == 8192
    assert contents.finish() == b""
    assert os.pread(fd, 10, 4096) == b"onetwo\0\0\0\0"
    assert os.pread(fd, 10, 8192) == b"three"


def test_coded(fd: int, tmp_path: Path) -> None:
    """Chunks are of one size however the bytes came, and raw where they do not shrink."""
    random = os.urandom(CHUNK)
    with CodedContents(Output(fd, 4096), 3, tmp_path / "layer-chunks") as contents:
        first = contents.add([b"a" * 100] * 5000 + [random[:77]])
        second = contents.add([random])
        data = contents.finish()
    assert (first, second) == (0, 503808)  # 500,077 bytes, and on to a page
    with ChunkTable("pack", data) as table:
        chunks = table.chunks()
    assert [each.size for each in chunks] == [CHUNK, 500_077 - CHUNK, CHUNK]
    assert [each.codec for each in chunks] == [chunk_table.ZSTD, chunk_table.ZSTD, chunk_table.RAW]
    assert chunks[0].place == 4096
    assert chunks[1].place == 4096 + chunks[0].stored
    assert os.pread(fd, CHUNK, chunks[2].place) == random


def test_the_same_whatever_the_pieces(tmp_path: Path) -> None:
    """The bytes written depend on the tar alone."""
    tar = bytes(range(256)) * 5000
    written = []
    for piece in (1000, 300_000, len(tar)):
        fd = os.memfd_create("pack")
        pieces = [tar[at : at + piece] for at in range(0, len(tar), piece)]
        with CodedContents(Output(fd, 0), 5, tmp_path / "table") as contents:
            contents.add(pieces)
            contents.add(pieces)
            table = contents.finish()
        written.append((table, os.pread(fd, 1 << 24, 0)))
        os.close(fd)
    assert written[0] == written[1] == written[2]
