"""Layers that are no plain tars, made of the tars of `images` and `trees`."""

import gzip
import hashlib
import lzma
import zlib
from collections.abc import Callable
from pathlib import Path

import zstandard

from fuse import chunk_table
from fuse.chunk_table import ChunkTableWriter

ENCODERS: dict[int, Callable[[bytes], bytes]] = {
    chunk_table.RAW: bytes,
    chunk_table.ZLIB: zlib.compress,
    chunk_table.GZIP: gzip.compress,
    chunk_table.ZSTD: zstandard.ZstdCompressor().compress,
    chunk_table.XZ: lzma.compress,
}
"""How a chunk is encoded, by codec."""


def code(tar: Path, codec: int = chunk_table.ZSTD, chunk_size: int = 10_000) -> Path:
    """Write the chunk table of a tar and its encoded bytes beside it; returns the table's path."""
    table, data = tar.with_suffix(".layer-chunks"), tar.with_suffix(".coded")
    contents = tar.read_bytes()
    with ChunkTableWriter(table, data=data.name, kind="test") as writer, data.open("wb") as file:
        for offset in range(0, len(contents), chunk_size):
            chunk = contents[offset : offset + chunk_size]
            stored = ENCODERS[codec](chunk)
            digest = hashlib.sha256(chunk).digest()
            place = file.tell()
            file.write(stored)
            writer.add(
                offset, len(chunk), place=place, stored=len(stored), codec=codec, digest=digest
            )
        writer.finish()
    return table
