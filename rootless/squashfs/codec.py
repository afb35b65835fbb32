"""The compressors of squashfs, for its metadata: one block of at most 8 KiB at a time."""

import importlib
import lzma
import zlib
from collections.abc import Callable
from typing import Any

from rootless.errors import Precondition
from rootless.squashfs.superblock import Compressor

METADATA_SIZE = 8192
_XZ_MEMORY = 64 << 20


class DecodeError(ValueError):
    """The bytes do not decode, or to too much."""


def decode(compressor: int, data: bytes) -> bytes:
    """Return a block of metadata, decoded.

    Raises:
        DecodeError: It is damaged.
        Precondition: The library for it is missing.
    """
    try:
        decoded = _DECODERS[compressor](data)
    except (DecodeError, Precondition):
        raise
    except Exception as error:  # each library has errors of its own
        raise DecodeError(str(error)) from error
    if len(decoded) > METADATA_SIZE:
        raise DecodeError(f"more than {METADATA_SIZE} bytes")
    return decoded


def _gzip(data: bytes) -> bytes:
    return zlib.decompressobj().decompress(data, METADATA_SIZE + 1)


def _lzo(data: bytes) -> bytes:
    decoded: bytes = _library("lzallright").LZOCompressor.decompress(data, METADATA_SIZE)
    return decoded


def _xz(data: bytes) -> bytes:
    return lzma.LZMADecompressor(memlimit=_XZ_MEMORY).decompress(data, METADATA_SIZE + 1)


def _lz4(data: bytes) -> bytes:
    decoded: bytes = _library("lz4.block").decompress(data, uncompressed_size=METADATA_SIZE)
    return decoded


def _zstd(data: bytes) -> bytes:
    zstandard = _library("zstandard")
    claimed = zstandard.frame_content_size(data)  # the library makes room for as much
    if claimed > METADATA_SIZE:
        raise DecodeError(f"a frame of {claimed} bytes")
    decoded: bytes = zstandard.ZstdDecompressor().decompress(data, max_output_size=METADATA_SIZE)
    return decoded


def _library(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError as error:
        package = name.partition(".")[0]
        fix = f"install it: pip install {package}"
        raise Precondition("a Python package is missing", package, fix) from error


_DECODERS: dict[int, Callable[[bytes], bytes]] = {
    Compressor.GZIP: _gzip,
    Compressor.LZO: _lzo,
    Compressor.XZ: _xz,
    Compressor.LZ4: _lz4,
    Compressor.ZSTD: _zstd,
}
