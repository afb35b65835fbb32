"""`rootless.chunked.decode`: chunks out of stored bytes."""

import gzip
import hashlib

import pytest
import zstandard

from rootless.chunked.decode import decode, inflate
from rootless.chunked.toc import Chunk, Codec
from rootless.errors import IntegrityError

CONTENT = bytes(range(256)) * 50
STORED = {
    Codec.GZIP: gzip.compress(CONTENT),
    Codec.ZSTD: zstandard.ZstdCompressor().compress(CONTENT),
}
CODECS = pytest.mark.parametrize("codec", STORED)


def chunk(codec: Codec, content: bytes = CONTENT, inner: int = 0) -> Chunk:
    """Return a chunk of this content."""
    digest = hashlib.sha256(content).digest()
    return Chunk(0, len(content), 77, len(STORED[codec]), inner, codec, digest)


@CODECS
def test_a_chunk(codec: Codec) -> None:
    """What is stored behind it is left alone, be it a header or garbage."""
    assert decode(chunk(codec), STORED[codec]) == CONTENT
    assert decode(chunk(codec), memoryview(STORED[codec] + STORED[codec])) == CONTENT
    assert decode(chunk(codec), STORED[codec] + b"garbage") == CONTENT


@CODECS
def test_a_piece_of_a_member(codec: Codec) -> None:
    """What comes before and after it is not part of it."""
    assert decode(chunk(codec, CONTENT[300:500], inner=300), STORED[codec]) == CONTENT[300:500]


@CODECS
def test_a_frame_without_its_size(codec: Codec) -> None:
    """Writers that stream cannot know it."""
    if codec is Codec.ZSTD:
        compressor = zstandard.ZstdCompressor(write_content_size=False).compressobj()
        stored = compressor.compress(CONTENT) + compressor.flush()
        assert decode(chunk(codec), stored) == CONTENT
    assert inflate(codec, STORED[codec], 10, "x") == CONTENT[:10]


@CODECS
def test_another_content(codec: Codec) -> None:
    """A chunk with another digest is refused, with its place."""
    with pytest.raises(IntegrityError, match="wrong digest of a chunk: web, byte 77 of the layer"):
        decode(chunk(codec, CONTENT[:-1] + b"?"), STORED[codec], "web")


@CODECS
@pytest.mark.parametrize("kept", [0, 1, 10, -60])
def test_too_few_bytes(codec: Codec, kept: int) -> None:
    """A chunk that breaks off is refused."""
    with pytest.raises(IntegrityError, match=r"ends early|damaged"):
        decode(chunk(codec), STORED[codec][:kept])


@CODECS
def test_a_member_that_is_too_short(codec: Codec) -> None:
    """It ends before the chunk does."""
    with pytest.raises(IntegrityError, match="chunk ends early"):
        decode(chunk(codec, CONTENT + b"more"), STORED[codec])


@CODECS
@pytest.mark.parametrize("stored", [b"garbage" * 9, bytes(100)])
def test_damage(codec: Codec, stored: bytes) -> None:
    """Garbage is refused by what it is not."""
    with pytest.raises(IntegrityError, match=f"{codec.value} data is damaged: layer, byte 77"):
        decode(chunk(codec), stored)


@CODECS
def test_a_bomb(codec: Codec) -> None:
    """No more comes out than the chunk has, whatever the frame claims."""
    bomb = (
        zstandard.ZstdCompressor().compress(bytes(64 << 20))
        if codec is Codec.ZSTD
        else gzip.compress(bytes(64 << 20), 1)
    )
    assert inflate(codec, bomb, 1000, "x") == bytes(1000)


def test_a_frame_that_wants_much_memory() -> None:
    """A window of more than 128 MiB is refused, before it is allocated."""
    parameters = zstandard.ZstdCompressionParameters.from_level(3, window_log=28)
    compressor = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
    stored = compressor.compress(CONTENT) + compressor.flush()
    with pytest.raises(IntegrityError, match="zstd data is damaged"):
        decode(chunk(Codec.ZSTD), stored)
