"""A layer whose bytes are compressed in chunks."""

import contextlib
import errno
import logging
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from chunks import ENCODERS, code

from fuse import chunk_table, coded_layer
from fuse.chunk_table import ChunkTable
from fuse.coded_layer import CodedLayer, DecodedChunks
from fuse.decode import Window

CONTENTS = bytes(range(256)) * 400


@contextlib.contextmanager
def opened(
    folder: Path, codec: int = chunk_table.ZSTD, limit: int = 1 << 20
) -> Iterator[CodedLayer]:
    """Give a layer with these contents, in chunks of 10,000 bytes."""
    (folder / "0.tar").write_bytes(CONTENTS)
    layer = CodedLayer(ChunkTable(code(folder / "0.tar", codec)), 0, DecodedChunks(limit))
    with contextlib.closing(layer):
        yield layer
    layer.close()


@pytest.mark.parametrize("codec", ENCODERS)
def test_reads_of_any_cut(tmp_path: Path, codec: int) -> None:
    """Within a chunk, across borders, the whole."""
    with opened(tmp_path, codec) as layer:
        for offset, size in [(0, 1), (9999, 2), (10_000, 10_000), (5, 95_000), (0, len(CONTENTS))]:
            target = bytearray(size)
            layer.fill(memoryview(target), offset)
            assert target == CONTENTS[offset : offset + size]


def test_reading_on_decodes_nothing_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the pieces, even where but one chunk can be kept; two readers need two."""
    decoded: list[int] = []

    def counted(chunk: chunk_table.Chunk, stored: bytes, window: Window) -> bytes:
        decoded.append(chunk.number)
        return real(chunk, stored, window)

    real = coded_layer.decode
    monkeypatch.setattr(coded_layer, "decode", counted)
    with opened(tmp_path, limit=0) as layer:
        for offset in range(0, len(CONTENTS) - 1000, 1000):
            layer.fill(memoryview(bytearray(1000)), offset)
    assert decoded == list(range(11))
    decoded.clear()
    with opened(tmp_path, limit=20_000) as layer:
        for offset in range(0, 50_000, 1000):
            layer.fill(memoryview(bytearray(1000)), offset)
            layer.fill(memoryview(bytearray(1000)), offset + 50_000)
    assert sorted(decoded) == list(range(10))


def test_what_is_kept_is_bounded() -> None:
    """The oldest goes first, by use."""
    kept = DecodedChunks(25)
    kept.put(0, 0, bytes(10))
    kept.put(0, 1, bytes(10))
    assert kept.get(0, 0) == bytes(10)
    kept.put(1, 0, bytes(10))
    assert kept.get(0, 1) is None
    assert kept.get(0, 0) is not None
    kept.put(1, 1, bytes(100))
    assert kept.get(1, 1) is not None
    assert kept.get(0, 0) is None
    assert kept.get(1, 0) is None


def test_damage_is_eio_and_one_line(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """However often it is read; the chunks beside it are whole."""
    with opened(tmp_path, chunk_table.RAW) as layer, caplog.at_level(logging.ERROR):
        with (tmp_path / "0.coded").open("r+b") as file:
            file.seek(25_000)
            file.write(b"other")
        for _ in range(3):
            with pytest.raises(OSError, match=r"chunk 2 .* another digest") as caught:
                layer.fill(memoryview(bytearray(10)), 29_000)
            assert caught.value.errno == errno.EIO
        layer.fill(memoryview(bytearray(10)), 30_000)
        (record,) = caplog.records
        assert "0.coded" in record.getMessage()
        os.truncate(tmp_path / "0.coded", 95_000)
        with pytest.raises(OSError, match="shorter than it was"):
            layer.fill(memoryview(bytearray(10)), 95_000)


def test_a_run_is_copied_into_a_file(tmp_path: Path) -> None:
    """To any offset of it."""
    with opened(tmp_path) as layer, (tmp_path / "copy").open("w+b") as file:
        layer.copy(9_000, file.fileno(), 100, 30_000)
    assert (tmp_path / "copy").read_bytes() == bytes(100) + CONTENTS[9_000:39_000]
