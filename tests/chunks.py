"""Layers that are no plain tars, made of the tars of `images` and `trees`."""

import gzip
import hashlib
import lzma
import os
import zlib
from collections.abc import Callable
from pathlib import Path

import zstandard

from fuse import chunk_table
from fuse.chunk_table import ChunkTable, ChunkTableWriter

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


def make_lazy(tar: Path, chunk_size: int = 10_000) -> Path:
    """Write a lazy layer with nothing in it yet, beside its tar; returns the table's path."""
    table = tar.with_suffix(".layer-chunks")
    data, present = tar.with_suffix(".data"), tar.with_suffix(".present")
    size = tar.stat().st_size
    with ChunkTableWriter(table, data=data.name, present=present.name, kind="test") as writer:
        for at in range(0, size, chunk_size):
            length = min(chunk_size, size - at)
            writer.add(at, length, place=at, stored=length, codec=chunk_table.RAW)
        count = writer.finish()
    data.touch()
    os.truncate(data, size)
    present.write_bytes(bytes(count))
    return table


def bring(tar: Path, offset: int, length: int) -> None:
    """Bring a run of a lazy layer, as a fetcher does: contents first, then the marks."""
    with ChunkTable(tar.with_suffix(".layer-chunks")) as table:
        numbers = table.numbers(offset, length)
        contents = tar.read_bytes()
        with tar.with_suffix(".data").open("r+b") as data:
            for number in numbers:
                first, last = table.bounds(number)
                os.pwrite(data.fileno(), contents[first:last], first)
        with tar.with_suffix(".present").open("r+b") as present:
            os.pwrite(present.fileno(), b"\x01" * len(numbers), numbers.start)
