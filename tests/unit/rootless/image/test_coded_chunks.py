"""`rootless.image.coded_chunks`: a tar in chunks that are compressed by themselves."""

import os
import subprocess
from concurrent.futures import ThreadPoolExecutor

import zstandard

from rootless.image.coded_chunks import CHUNK, coded_chunks
from rootless.image.layers import RAW, ZSTD


def test_chunks_of_one_size_in_order() -> None:
    """However the bytes came; what does not shrink stays as it is."""
    random = os.urandom(CHUNK)
    tar = b"a" * CHUNK + random + b"b" * 100
    pieces = [tar[at : at + 70_000] for at in range(0, len(tar), 70_000)]
    with ThreadPoolExecutor(2) as pool:
        chunks = list(coded_chunks(pool, pieces, 3))
    assert [each[:2] for each in chunks] == [(CHUNK, ZSTD), (CHUNK, RAW), (100, ZSTD)]
    assert chunks[1].stored == random
    assert zstandard.ZstdDecompressor().decompress(chunks[0].stored) == b"a" * CHUNK


def test_one_stream() -> None:
    """All of it together can be decompressed by anybody, whatever did not shrink."""
    tar = os.urandom(CHUNK) + b"a" * CHUNK
    with ThreadPoolExecutor(1) as pool:
        chunks = list(coded_chunks(pool, [tar], 3, is_stream=True))
    assert [each.codec for each in chunks] == [ZSTD, ZSTD]
    stream = b"".join(each.stored for each in chunks)
    unpacked = subprocess.run(["zstd", "-dc"], input=stream, capture_output=True, check=True)
    assert unpacked.stdout == tar


def test_nothing() -> None:
    """An empty tar has no chunk."""
    with ThreadPoolExecutor(1) as pool:
        assert list(coded_chunks(pool, [], 3)) == []
