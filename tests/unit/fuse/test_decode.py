"""From the stored bytes of a chunk to its contents."""

import gzip
import importlib
import importlib.util
import os
import zlib
from typing import NoReturn

import pytest
import zstandard
from chunks import ENCODERS

from fuse import chunk_table
from fuse.chunk_table import Chunk
from fuse.decode import DamagedChunk, MissingLibrary, _from_bit, decode

CONTENTS = b"".join(b"%d bottles of beer\n" % number for number in range(20_000)) + os.urandom(999)


def chunk(codec: int, size: int = len(CONTENTS)) -> Chunk:
    """Return a chunk of this codec and size."""
    return Chunk(0, 0, size, 0, 0, codec, b"")


def no_window() -> NoReturn:
    """Stand for the window of a chunk that has none."""
    raise AssertionError


@pytest.mark.parametrize("codec", ENCODERS)
def test_what_was_encoded_is_decoded(codec: int) -> None:
    """Every codec that Python can encode."""
    assert decode(chunk(codec), ENCODERS[codec](CONTENTS), no_window) == CONTENTS


@pytest.mark.skipif(not importlib.util.find_spec("lz4"), reason="the package lz4 is missing")
def test_lz4_blocks() -> None:
    """As SquashFS has them: without a size of their own."""
    import lz4.block  # noqa: PLC0415

    stored = lz4.block.compress(CONTENTS, store_size=False)
    assert decode(chunk(chunk_table.LZ4), stored, no_window) == CONTENTS
    with pytest.raises(DamagedChunk):
        decode(chunk(chunk_table.LZ4, 1000), stored, no_window)


@pytest.mark.skipif(
    not importlib.util.find_spec("lzallright"), reason="the package lzallright is missing"
)
def test_lzo() -> None:
    """What could grow beyond all measure is not begun."""
    from lzallright import LZOCompressor  # noqa: PLC0415

    stored = LZOCompressor().compress(CONTENTS)
    assert decode(chunk(chunk_table.LZO), stored, no_window) == CONTENTS
    with pytest.raises(DamagedChunk, match="of LZO for 100"):
        decode(chunk(chunk_table.LZO, 100), stored, no_window)


def test_gzip_goes_on_through_members_and_stops_in_one() -> None:
    """A chunk may be many members, and the last may have more than the chunk."""
    stored = b"".join(gzip.compress(CONTENTS[at : at + 7000]) for at in range(0, 70_000, 7000))
    stored += gzip.compress(CONTENTS[70_000:])
    assert decode(chunk(chunk_table.GZIP), stored, no_window) == CONTENTS
    assert decode(chunk(chunk_table.GZIP, 70_001), stored, no_window) == CONTENTS[:70_001]


@pytest.mark.parametrize("bits", range(8))
def test_deflate_begins_in_the_middle_of_a_byte(bits: int) -> None:
    """Its first bits may belong to what is before it, and it may refer to that."""
    before, contents = CONTENTS[:40_000], CONTENTS[40_000:80_000]
    packer = zlib.compressobj(9, zlib.DEFLATED, -15, zdict=before[-32768:])
    stored = packer.compress(contents) + packer.flush()
    moved = int.from_bytes(stored, "little") << bits | (1 << bits) - 1
    stored = moved.to_bytes(len(stored) + 1, "little") + b"what comes after the end"
    window = (bits, zlib.compress(before[-32768:]))
    assert decode(chunk(chunk_table.DEFLATE, 40_000), stored, lambda: window) == contents
    assert decode(chunk(chunk_table.DEFLATE, 123), stored, lambda: window) == contents[:123]


@pytest.mark.parametrize("bits", range(8))
@pytest.mark.parametrize("library", ["zlib", "isal.isal_zlib"])
def test_bits_that_are_not_ours_become_empty_blocks(bits: int, library: str) -> None:
    """A stored block after them begins at a whole byte, as it did."""
    if bits:
        first = (0b101 << bits - 3 if bits > 4 else 0) & 0xFF
        header = bits + 3  # a last block, stored
        value = first & (1 << bits) - 1 | 1 << bits
        head = value.to_bytes((header + 7) // 8, "little")
    else:
        head = b"\x01"
    data = head + (5).to_bytes(2, "little") + (0xFFFF - 5).to_bytes(2, "little") + b"bytes"
    decoder = importlib.import_module(library).decompressobj(-15)
    assert decoder.decompress(_from_bit(data, bits)) == b"bytes"


@pytest.mark.parametrize("codec", ENCODERS)
@pytest.mark.parametrize("damage", ["truncated", "garbage", "longer"])
def test_damage_is_one_error(codec: int, damage: str) -> None:
    """Whatever the library calls it."""
    stored = ENCODERS[codec](CONTENTS)
    size = len(CONTENTS)
    if damage == "truncated":
        stored = stored[: len(stored) // 2]
    elif damage == "garbage":
        stored = b"\xff" * (len(stored) - 1)
    else:
        size += 1
    with pytest.raises(DamagedChunk):
        decode(chunk(codec, size), stored, no_window)


def test_a_zstd_frame_that_claims_more_is_not_begun() -> None:
    """The library would make room for what a frame says of itself."""
    stored = zstandard.ZstdCompressor().compress(bytes(100 << 20))
    with pytest.raises(DamagedChunk, match="104,857,600 bytes in place of 10"):
        decode(chunk(chunk_table.ZSTD, 10), stored, no_window)


@pytest.mark.parametrize(("codec", "size"), [(99, 10), (chunk_table.RAW, 1 << 40)])
def test_tables_that_say_nonsense(codec: int, size: int) -> None:
    """An unknown codec, and a chunk that would not fit into memory."""
    with pytest.raises(DamagedChunk):
        decode(chunk(codec, size), b"", no_window)


def test_a_missing_library_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """The reason says what to install."""
    monkeypatch.setitem(__import__("sys").modules, "zstandard", None)
    with pytest.raises(MissingLibrary, match="zstandard is missing"):
        decode(chunk(chunk_table.ZSTD), b"", no_window)
