"""`rootless.transfer.compression`: the same bytes each time, which others can read."""

import gzip
import io
import os
import random
import subprocess

import pytest
import zstandard

from rootless.errors import InvalidInput
from rootless.oci import descriptor as media
from rootless.transfer.compression import (
    BLOCK,
    GZIP,
    NONE,
    Compression,
    chosen,
    compressed,
    parse_compression,
)

# more than two blocks, the last one short; neither all alike nor all random
CONTENT = random.Random(7).randbytes(BLOCK) + b"ab" * BLOCK + b"the end"


def made(compression: Compression, content: bytes = CONTENT) -> bytes:
    """Return the content compressed."""
    return b"".join(compressed(compression, io.BytesIO(content)))


@pytest.mark.parametrize("level", [1, 3, 4, 9])
def test_gzip_is_one_member_that_gunzip_reads(level: int) -> None:
    """Blocks that were deflated side by side make one member (RFC 1952)."""
    data = made(Compression("gzip", level))
    assert gzip.decompress(data) == CONTENT
    out = subprocess.run(["gunzip"], input=data, capture_output=True, check=True).stdout
    assert out == CONTENT
    assert data.count(b"\x1f\x8b\x08\0\0\0\0\0\0\xff") == 1


@pytest.mark.parametrize("content", [b"", b"x", b"y" * BLOCK, b"z" * (BLOCK + 1)])
@pytest.mark.parametrize("name", ["gzip", "zstd", "none"])
def test_short_and_even_contents_come_back(name: str, content: bytes) -> None:
    """Nothing, one byte, one whole block and a byte more are no special cases."""
    data = made(parse_compression(name), content)
    if name == "gzip":
        assert gzip.decompress(data) == content
    elif name == "zstd":
        assert zstandard.ZstdDecompressor().decompressobj().decompress(data) == content
    else:
        assert data == content


@pytest.mark.parametrize("compression", [GZIP, Compression("gzip", 6), Compression("zstd", 3)])
def test_any_number_of_cores_makes_the_same_bytes(
    compression: Compression, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A layer that is compressed on another node has the same digest."""
    several = made(compression)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0})
    assert made(compression) == several
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(7)))
    assert made(compression) == several


def test_stream_that_gives_little_at_a_time_makes_the_same_bytes() -> None:
    """Where a pipe cuts the data shows nowhere."""

    class Dribble(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            return super().read(min(size or 0, 4099))

    assert b"".join(compressed(GZIP, Dribble(CONTENT))) == made(GZIP)


def test_error_of_the_source_is_raised() -> None:
    """A layer that cannot be read does not become a shorter one."""

    class Broken(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            if self.tell() > BLOCK:
                raise OSError(5, "Input/output error")
            return super().read(size)

    with pytest.raises(OSError, match="Input/output"):
        b"".join(compressed(GZIP, Broken(CONTENT)))


def test_names_and_levels_are_checked() -> None:
    """A wrong one is said with what there is."""
    assert parse_compression("ZSTD-chunked") == Compression("zstd:chunked", 3)
    assert parse_compression("gzip", 9).key == "zlib-9"
    assert parse_compression("gzip").key == "isal-3"
    for words in (("lzma",), ("gzip", 0), ("zstd", 20), ("none", 1)):
        with pytest.raises(InvalidInput):
            parse_compression(*words)  # type: ignore[arg-type]


def test_options_that_say_nothing_choose_nothing() -> None:
    """A level alone is gzip's."""
    assert chosen("") is None
    assert chosen("", 5) == Compression("gzip", 5)
    assert chosen("none") == NONE


def test_media_types() -> None:
    """Each has OCI's; Docker's manifests have none for zstd."""
    assert GZIP.media_type(docker=False) == media.LAYER_TAR_GZIP
    assert GZIP.media_type(docker=True) == media.DOCKER_LAYER_TAR_GZIP
    assert NONE.media_type(docker=True) == media.DOCKER_LAYER_TAR
    assert Compression("zstd:chunked").media_type(docker=False) == media.LAYER_TAR_ZSTD
    with pytest.raises(InvalidInput, match="--format oci"):
        Compression("zstd").media_type(docker=True)
