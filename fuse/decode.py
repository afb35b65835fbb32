"""From the stored bytes of a chunk to its contents.

Nothing is decoded beyond the size that the chunk table says, whatever the bytes claim. The
libraries are imported when a chunk needs them: few layers do.
"""

import importlib
import lzma
from collections.abc import Callable
from typing import Any, Final

from . import chunk_table
from .chunk_table import CHUNK_MAX, Chunk

Window = Callable[[], tuple[int, bytes]]
"""Gives the window of the chunk; asked of a seek point only."""

_RAW_DEFLATE: Final = -15
_GZIP: Final = 31
_WINDOW_BYTES: Final = 32 << 10
_SLICE: Final = 64 << 10  # what is left after a member's end is copied by the library
_XZ_MEMORY: Final = 256 << 20
_LZO_RATIO_SLACK: Final = 1024


class DamagedChunk(ValueError):
    """The bytes do not decode to what the chunk table says."""


class MissingLibrary(OSError):
    """What would decode the chunk is not installed."""


def decode(chunk: Chunk, stored: bytes, window: Window) -> bytes:
    """Return the contents of a chunk: as many bytes as it has, exactly.

    Args:
        chunk: What it should be.
        stored: Its encoded bytes.
        window: Gives its window.

    Raises:
        DamagedChunk: They are not that.
        MissingLibrary: The library that would decode it is missing.
    """
    if chunk.size > CHUNK_MAX:
        raise DamagedChunk(f"a chunk of {chunk.size:,} bytes")
    decoder = _DECODERS.get(chunk.codec)
    if decoder is None:
        raise DamagedChunk(f"an unknown codec, {chunk.codec}")
    try:
        contents = decoder(stored, chunk.size, window)
    except (DamagedChunk, MissingLibrary):
        raise
    except Exception as error:  # each library has errors of its own
        raise DamagedChunk(f"its bytes do not decode: {error}") from error
    if len(contents) != chunk.size:
        raise DamagedChunk(f"{len(contents):,} bytes in place of {chunk.size:,}")
    return contents


def _raw(stored: bytes, size: int, window: Window) -> bytes:
    del size, window
    return stored


def _zlib(stored: bytes, size: int, window: Window) -> bytes:
    del window
    contents: bytes = _library("isal.isal_zlib").decompressobj().decompress(stored, size)
    return contents


def _gzip(stored: bytes, size: int, window: Window) -> bytes:
    """Decode members one after the other, until there are enough bytes."""
    del window
    begin = _library("isal.isal_zlib").decompressobj
    decoder, pieces, at, left = begin(_GZIP), [], 0, size
    while left and at < len(stored):
        piece = decoder.decompress(stored[at : at + _SLICE], left)
        at += _SLICE
        if decoder.eof:
            at = min(at, len(stored)) - len(decoder.unused_data)
            decoder = begin(_GZIP)
        pieces.append(piece)
        left -= len(piece)
    return b"".join(pieces)


def _deflate(stored: bytes, size: int, window: Window) -> bytes:
    begin = _library("isal.isal_zlib").decompressobj
    bits, packed = window()
    if bits:  # the library begins at whole bytes only
        stored = (int.from_bytes(stored, "little") >> bits).to_bytes(len(stored), "little")
    history = begin().decompress(packed, _WINDOW_BYTES)
    contents: bytes = begin(_RAW_DEFLATE, zdict=history).decompress(stored, size)
    return contents


def _zstd(stored: bytes, size: int, window: Window) -> bytes:
    del window
    zstandard = _library("zstandard")
    claimed = zstandard.frame_content_size(stored)
    if claimed not in (-1, size):  # the library would make room for as much as is claimed
        raise DamagedChunk(f"a frame of {claimed:,} bytes in place of {size:,}")
    contents: bytes = zstandard.ZstdDecompressor().decompress(stored, max_output_size=size)
    return contents


def _xz(stored: bytes, size: int, window: Window) -> bytes:
    del window
    return lzma.LZMADecompressor(memlimit=_XZ_MEMORY).decompress(stored, size)


def _lz4(stored: bytes, size: int, window: Window) -> bytes:
    del window
    contents: bytes = _library("lz4.block").decompress(stored, uncompressed_size=size)
    return contents


def _lzo(stored: bytes, size: int, window: Window) -> bytes:
    del window
    if len(stored) > size + size // 16 + _LZO_RATIO_SLACK:  # what it can grow to, at worst
        raise DamagedChunk(f"{len(stored):,} bytes of LZO for {size:,}")
    contents: bytes = _library("lzallright").LZOCompressor.decompress(stored, size)
    return contents


def _library(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError as error:
        package = name.partition(".")[0]
        raise MissingLibrary(0, f"the Python package {package} is missing") from error


_DECODERS: Final = {
    chunk_table.RAW: _raw,
    chunk_table.ZLIB: _zlib,
    chunk_table.GZIP: _gzip,
    chunk_table.ZSTD: _zstd,
    chunk_table.XZ: _xz,
    chunk_table.LZ4: _lz4,
    chunk_table.LZO: _lzo,
    chunk_table.DEFLATE: _deflate,
}
