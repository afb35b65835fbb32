"""The chunk table of a layer that is no plain tar."""

import errno
import sqlite3
from pathlib import Path

import pytest

from fuse.chunk_table import RAW, ZSTD, Chunk, ChunkTable, ChunkTableWriter, is_chunk_table
from fuse.database import IndexFormatError


def write(path: Path, *bounds: tuple[int, int], size: int | None = None) -> Path:
    """Write a table of chunks of these offsets and sizes."""
    with ChunkTableWriter(path, data="data", kind="test") as writer:
        for offset, length in bounds:
            writer.add(offset, length, place=offset, stored=length, codec=RAW)
        writer.finish(size)
    return path


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/s/lazy/sha256/ab/layer-chunks", True),
        ("layers/sha256/ab.layer-chunks", True),
        ("blobs/sha256/ab", False),
        ("layer-chunks/ab", False),
        ("my-layer-chunks", False),
    ],
)
def test_a_layer_is_known_by_its_name(path: str, *, expected: bool) -> None:
    """The file's own name decides, and no folder's."""
    assert is_chunk_table(path) == expected


def test_what_was_written_is_read(tmp_path: Path) -> None:
    """Chunks, windows and what the table says of itself; paths start from its folder."""
    with ChunkTableWriter(
        tmp_path / "t", data="../blobs/x", present="present", kind="estargz"
    ) as writer:
        assert writer.add(0, 10, place=7, stored=5, codec=ZSTD, digest=b"d" * 32) == 0
        assert writer.add(10, 4096, place=20, stored=100, codec=RAW) == 1
        writer.add_window(1, 3, b"window")
        assert writer.finish(5000) == 2
    with ChunkTable(tmp_path / "t") as table:
        assert (table.size, table.kind, len(table)) == (5000, "estargz", 2)
        assert table.data == f"{tmp_path}/../blobs/x"
        assert table.present == f"{tmp_path}/present"
        assert table.chunk(0) == Chunk(0, 0, 10, 7, 5, ZSTD, b"d" * 32)
        assert table.chunks()[1] == Chunk(1, 10, 4096, 20, 100, RAW, b"")
        assert table.bounds(1) == (10, 4106)
        assert table.window(1) == (3, b"window")
        with pytest.raises(IndexFormatError, match="no window of chunk 0"):
            table.window(0)


@pytest.mark.parametrize(
    ("offset", "size", "expected"),
    [
        (0, 1, range(1)),
        (0, 10, range(1)),
        (9, 2, range(2)),
        (10, 10, range(1, 2)),
        (5, 25, range(3)),
        (29, 1, range(2, 3)),
        (12, 0, range(0)),
    ],
)
def test_a_run_is_found_in_its_chunks(
    tmp_path: Path, offset: int, size: int, expected: range
) -> None:
    """Both borders belong to the right chunk."""
    with ChunkTable(write(tmp_path / "t", (0, 10), (10, 10), (20, 10))) as table:
        assert table.numbers(offset, size) == expected


@pytest.mark.parametrize(("offset", "size"), [(0, 5), (4, 2), (14, 3), (15, 1), (22, 10), (40, 1)])
def test_bytes_that_no_chunk_has_are_an_error(tmp_path: Path, offset: int, size: int) -> None:
    """Before the first, between two, after the last."""
    with (
        ChunkTable(write(tmp_path / "t", (5, 10), (20, 10), size=100)) as table,
        pytest.raises(OSError, match="no such bytes") as caught,
    ):
        table.numbers(offset, size)
    assert caught.value.errno == errno.EIO


@pytest.mark.parametrize("bounds", [(0, 0), (-1, 5), (9, 5)])
def test_chunks_out_of_order_are_refused(tmp_path: Path, bounds: tuple[int, int]) -> None:
    """Empty ones, and such as begin before the end of the one before, too."""
    with ChunkTableWriter(tmp_path / "t", data="d", kind="test") as writer:
        writer.add(0, 10, place=0, stored=1, codec=RAW)
        with pytest.raises(ValueError, match="a chunk of"):
            writer.add(*bounds, place=0, stored=1, codec=RAW)


def test_more_chunks_than_one_batch(tmp_path: Path) -> None:
    """None is lost at the borders of the batches."""
    with ChunkTable(write(tmp_path / "t", *((n * 2, 2) for n in range(9000)))) as table:
        assert len(table) == 9000
        assert table.numbers(0, 18000) == range(9000)


def test_a_table_out_of_order_is_damaged(tmp_path: Path) -> None:
    """Whatever wrote it: a search in it would find anything."""
    path = write(tmp_path / "t", (0, 10), (10, 10))
    database = sqlite3.connect(path)
    with database:
        database.execute("UPDATE chunk SET offset = 9 WHERE number = 1")
    database.close()
    with ChunkTable(path) as table, pytest.raises(IndexFormatError, match="a chunk at 9, after 10"):
        table.numbers(0, 10)


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE meta SET data = CAST(X'64ff' AS TEXT)",
        "UPDATE meta SET data = X'64'",
        "UPDATE meta SET kind = 'a' || char(0)",
        "UPDATE meta SET size = 'many'",
        "UPDATE chunk SET offset = 'here' WHERE number = 1",
        "UPDATE chunk SET size = 9223372036854775807 WHERE number = 1",
    ],
)
def test_a_table_of_other_types_is_damaged(damage: str, tmp_path: Path) -> None:
    """A byte of the file that was changed makes a text of a number, or a text that is none."""
    path = write(tmp_path / "t", (0, 10), (10, 10))
    database = sqlite3.connect(path)
    with database:
        database.execute(damage)
    database.close()
    with pytest.raises(IndexFormatError, match="damaged"), ChunkTable(path) as table:
        table.numbers(0, 20)


def test_an_unfinished_table_is_not_taken(tmp_path: Path) -> None:
    """A writer that was closed early leaves nothing that a reader accepts."""
    with ChunkTableWriter(tmp_path / "t", data="d", kind="test") as writer:
        writer.add(0, 10, place=0, stored=1, codec=RAW)
    with pytest.raises(IndexFormatError):
        ChunkTable(tmp_path / "t")
