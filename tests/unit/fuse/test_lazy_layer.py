"""A layer that is not all there yet."""

import contextlib
import errno
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from chunks import bring, make_lazy

from fuse.chunk_table import ChunkTable
from fuse.layer_bytes import Absent, OnAbsent, OnFirst
from fuse.lazy_layer import LazyLayer

CONTENTS = bytes(range(256)) * 400  # eleven chunks, the last of 2,400 bytes


@contextlib.contextmanager
def opened(
    folder: Path, on_absent: OnAbsent | None = None, on_first: OnFirst | None = None
) -> Iterator[LazyLayer]:
    """Give a layer with these contents, none of which are there."""
    (folder / "0.tar").write_bytes(CONTENTS)
    table = ChunkTable(make_lazy(folder / "0.tar"))
    layer = LazyLayer(table, 5, on_absent, on_first)
    with contextlib.closing(layer):
        yield layer
    layer.close()


def read(layer: LazyLayer, offset: int, size: int) -> bytes:
    """Return a run."""
    target = bytearray(size)
    layer.fill(memoryview(target), offset)
    return bytes(target)


def test_what_is_there_is_read(tmp_path: Path) -> None:
    """In every way; from when its mark is there."""
    with opened(tmp_path) as layer:
        bring(tmp_path / "0.tar", 10_000, 20_000)
        assert read(layer, 12_345, 10_000) == CONTENTS[12_345:22_345]
        assert layer.raw(29_000, 1000) == CONTENTS[29_000:30_000]
        piece = layer.piece(15_000, 5_000)
        assert os.pread(piece.fd, piece.size, piece.offset) == CONTENTS[15_000:20_000]
        with (tmp_path / "copy").open("w+b") as file:
            layer.copy(11_000, file.fileno(), 0, 9_000)
            assert file.read() == CONTENTS[11_000:20_000]
        with pytest.raises(Absent) as caught:
            read(layer, 5_000, 30_000)
        assert (caught.value.layer, caught.value.chunks) == (5, [(0, 10_000), (30_000, 10_000)])


def test_raw_asks_nobody(tmp_path: Path) -> None:
    """It is for what is pushed ahead, which nobody has asked for; it ends with the layer."""
    with opened(tmp_path, on_absent=pytest.fail) as layer:
        bring(tmp_path / "0.tar", 100_000, 2_400)
        with pytest.raises(OSError, match="not fetched") as caught:
            layer.raw(0, 100)
        assert caught.value.errno == errno.EIO
        assert layer.raw(101_000, 1 << 30) == CONTENTS[101_000:]
        assert layer.raw(1 << 20, 10) == b""


def test_who_brings_it_at_once_is_waited_for(tmp_path: Path) -> None:
    """A handler that returns has brought it."""
    asked: list[Absent] = []

    def fetch(absent: Absent) -> None:
        asked.append(absent)
        for offset, size in absent.chunks:
            bring(tmp_path / "0.tar", offset, size)

    with opened(tmp_path, fetch) as layer:
        assert read(layer, 0, len(CONTENTS)) == CONTENTS
        assert read(layer, 5, 5) == CONTENTS[5:10]
    assert len(asked) == 1


def test_first_uses_are_told_once(tmp_path: Path) -> None:
    """Neighbours in one; what was absent has been asked for instead."""
    told: list[tuple[int, int, int]] = []
    with opened(tmp_path, on_first=lambda *run: told.append(run)) as layer:
        bring(tmp_path / "0.tar", 0, 30_000)
        read(layer, 10_000, 5)
        layer.note_use(0, 35_000)
        read(layer, 0, 30_000)
    assert told == [(5, 10_000, 10_000), (5, 0, 10_000), (5, 20_000, 10_000)]


def test_files_that_became_shorter_are_errors(tmp_path: Path) -> None:
    """No signal, no zeros: chunks without a mark are absent, bytes that are gone are EIO."""
    with opened(tmp_path) as layer:
        bring(tmp_path / "0.tar", 0, len(CONTENTS))
        os.truncate(tmp_path / "0.present", 5)
        os.truncate(tmp_path / "0.data", 30_000)
        assert read(layer, 0, 30_000) == CONTENTS[:30_000]
        with pytest.raises(OSError, match="shorter than it was"):
            read(layer, 25_000, 10_000)
        with pytest.raises(Absent):
            read(layer, 60_000, 1)


def test_a_missing_file_is_an_error_and_no_leak(tmp_path: Path) -> None:
    """The table stays the caller's then."""
    (tmp_path / "0.tar").write_bytes(CONTENTS)
    with ChunkTable(make_lazy(tmp_path / "0.tar")) as table:
        (tmp_path / "0.present").unlink()
        with pytest.raises(FileNotFoundError):
            LazyLayer(table, 0)
