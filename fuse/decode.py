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
    if not 0 <= bits < 8:
        raise DamagedChunk(f"a window of {bits} bits")
    stored = _from_bit(stored, bits)
    history = begin().decompress(packed, _WINDOW_BYTES)
    contents: bytes = begin(_RAW_DEFLATE, zdict=history).decompress(stored, size)
    return contents


def _from_bit(stored: bytes, bits: int) -> bytes:
    """Return deflate data that says the same, but from the first bit of its first byte.

    The library begins at whole bytes only. To shift everything would not do: blocks that are
    stored begin at whole bytes as well. So as many bits as are not ours are made ones that mean
    nothing: empty blocks, of 10 bits with the fixed code, and one of 91 where their number is odd.
    """
    if not bits:
        return stored
    value, length = _EMPTY_DYNAMIC if bits % 2 else (0, 0)
    while length % 8 != bits:
        value, length = value | _EMPTY_FIXED[0] << length, length + _EMPTY_FIXED[1]
    value |= stored[0] >> bits << length
    return value.to_bytes(length // 8 + 1, "little") + stored[1:]


def _bits(*fields: tuple[int, int]) -> tuple[int, int]:
    """Return fields, (value, length) each, as deflate packs them: the lowest bits first."""
    value = length = 0
    for field, size in fields:
        value, length = value | field << length, length + size
    return value, length


_EMPTY_FIXED: Final = _bits((0, 1), (1, 2), (0, 7))
_EMPTY_DYNAMIC: Final = _bits(
    (0, 1),
    (2, 2),
    *((0, 5), (0, 5), (14, 4)),  # 257 lengths, 1 distance, 18 lengths of lengths
    *((0, 3), (0, 3), (1, 3)),  # of those 18 ("138 zeros") has one bit
    *((0, 3),) * 14,
    (1, 3),  # and so has 1
    *((0, 1), (1, 1), (127, 7), (1, 1), (106, 7), (0, 1)),  # literal 0, 255 zeros, end of block
    (0, 1),  # a distance
    (1, 1),  # the end of the block
)
"""RFC 1951, 3.2.6 and 3.2.7."""


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
