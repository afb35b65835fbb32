"""`rootless.image.seek_points`: gzip read from the middle."""

import gzip
import io
import itertools
import random
import subprocess
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from rootless.errors import IntegrityError
from rootless.image.layers import ChunkTable, ChunkTableWriter, CodedLayer, DecodedChunks
from rootless.image.seek_points import SeekPointStream

NUMBERS = random.Random(11)
CONTENTS = b"".join(
    NUMBERS.randbytes(NUMBERS.randrange(60)) + b"some text that comes again and again" * 3
    for _ in range(20_000)
)
SPAN = 50_000


def by_members(size: int) -> bytes:
    """Compress in many members."""
    return b"".join(gzip.compress(CONTENTS[at : at + size]) for at in range(0, len(CONTENTS), size))


def mixed() -> bytes:
    """Compress in members of all sizes, empty ones among them, with padding at the end."""
    cuts = [0, 10, 10, 700_000, 700_001, 1_200_000, len(CONTENTS)]
    members = [gzip.compress(CONTENTS[a:b]) for a, b in itertools.pairwise(cuts)]
    return b"".join(members) + bytes(3000)


def flushed() -> bytes:
    """Compress with blocks that end at whole bytes."""
    packer = zlib.compressobj(6, zlib.DEFLATED, 31)
    parts = [
        packer.compress(CONTENTS[at : at + 9000]) + packer.flush(zlib.Z_SYNC_FLUSH)
        for at in range(0, len(CONTENTS), 9000)
    ]
    return b"".join(parts) + packer.flush()


FORMS: dict[str, Callable[[], bytes]] = {
    "one member": lambda: gzip.compress(CONTENTS),
    "stored": lambda: gzip.compress(CONTENTS, 0),
    "fast": lambda: gzip.compress(CONTENTS, 1),
    "small members": lambda: by_members(7_000),
    "large members": lambda: by_members(130_000),
    "mixed": mixed,
    "flushed": flushed,
    "gzip": lambda: (
        subprocess.run(["gzip", "-9"], input=CONTENTS, capture_output=True, check=True).stdout
    ),
}


def indexed(folder: Path, data: bytes) -> tuple[Path, bytes]:
    """Write a blob and its seek points; return the table, and what was decoded on the way."""
    (folder / "blob").write_bytes(data)
    table = folder / "layer-chunks"
    with ChunkTableWriter(table, data="blob", kind="gzip") as writer:
        with SeekPointStream(io.BytesIO(data), "the blob", writer, SPAN) as stream:
            contents = b"".join(iter(lambda: stream.read(33_333), b""))
        writer.finish()
    return table, contents


@pytest.mark.parametrize("form", FORMS)
def test_every_part_can_be_read_by_itself(tmp_path: Path, form: str) -> None:
    """From each point, in any order, whatever made the gzip data."""
    path, contents = indexed(tmp_path, FORMS[form]())
    assert contents == CONTENTS
    table = ChunkTable(path)
    assert table.size == len(CONTENTS)
    assert len(table) > len(CONTENTS) // SPAN // 8
    layer = CodedLayer(table, 0, DecodedChunks(0))
    try:
        for _ in range(200):
            at, size = NUMBERS.randrange(len(CONTENTS)), NUMBERS.randrange(1, 100_000)
            assert layer.raw(at, size) == CONTENTS[at : at + size]
        assert layer.raw(0, len(CONTENTS)) == CONTENTS
    finally:
        layer.close()


def test_an_empty_stream_has_no_chunk(tmp_path: Path) -> None:
    """It is a member all the same."""
    path, contents = indexed(tmp_path, gzip.compress(b""))
    assert contents == b""
    with ChunkTable(path) as table:
        assert (len(table), table.size) == (0, 0)


@pytest.mark.parametrize("cut", [5, 1000, -1])
def test_data_that_ends_early(tmp_path: Path, cut: int) -> None:
    """Is told as such, by the error that the other decompressors have for it."""
    with pytest.raises(EOFError):
        indexed(tmp_path, gzip.compress(CONTENTS)[:cut])


def test_garbage_after_it_and_damage_in_it(tmp_path: Path) -> None:
    """Both name the blob."""
    data = gzip.compress(CONTENTS)
    with pytest.raises(IntegrityError, match="garbage after the gzip data: the blob"):
        indexed(tmp_path, data + b"more")
    damaged = data[:-6] + b"\xff\xff" + data[-4:]
    with pytest.raises(IntegrityError, match="damaged: the blob"):
        indexed(tmp_path, damaged)
