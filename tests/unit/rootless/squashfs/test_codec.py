"""`rootless.squashfs.codec`: blocks of metadata, decoded within bounds."""

import lzma
import zlib

import lz4.block
import lzallright
import pytest
import zstandard

from rootless.squashfs.codec import METADATA_SIZE, DecodeError, decode
from rootless.squashfs.superblock import Compressor

_ENCODE = {
    Compressor.GZIP: zlib.compress,
    Compressor.LZO: lambda data: lzallright.LZOCompressor().compress(data),
    Compressor.XZ: lambda data: lzma.compress(data, check=lzma.CHECK_CRC32),
    Compressor.LZ4: lambda data: lz4.block.compress(data, store_size=False),
    Compressor.ZSTD: zstandard.compress,
}


@pytest.mark.parametrize("compressor", _ENCODE)
@pytest.mark.parametrize("size", [1, 1000, METADATA_SIZE])
def test_decodes(compressor: Compressor, size: int) -> None:
    """Each compressor's blocks come out as they went in."""
    data = bytes(range(256)) * 32
    assert decode(compressor, bytes(_ENCODE[compressor](data[:size]))) == data[:size]


@pytest.mark.parametrize("compressor", _ENCODE)
def test_no_larger_block(compressor: Compressor) -> None:
    """A block that would be larger than any is refused, and a bomb with it."""
    with pytest.raises(DecodeError):
        decode(compressor, bytes(_ENCODE[compressor](bytes(16 << 20))))


@pytest.mark.parametrize("compressor", _ENCODE)
def test_damaged(compressor: Compressor) -> None:
    """What does not decode is said so, by one error for all libraries."""
    with pytest.raises(DecodeError):
        decode(compressor, b"\xff" * 50)
