"""`rootless.chunked.zstd_chunked`: what is written, and what everybody reads of it."""

import hashlib
import subprocess
from pathlib import Path

import chunked_blobs
import images
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from random_image import random_layers

from rootless.chunked.toc import Codec, Kind
from rootless.errors import IntegrityError

ZSTD = Kind.ZSTD_CHUNKED
SPARSE_RECORDS = [
    (b"GNU.sparse.major", b"1"),
    (b"GNU.sparse.minor", b"0"),
    (b"GNU.sparse.name", b"log"),
    (b"GNU.sparse.realsize", b"50000"),
]
SPARSE_CONTENT = images.padded(b"2\n10000\n3\n40000\n10\n") + b"abc" + b"0123456789"


@settings(database=None, max_examples=25, deadline=None)
@given(seed=st.integers(0, 1000), level=st.sampled_from([1, 3, 12]))
def test_the_tar_stays_the_same(seed: int, level: int) -> None:
    """It decompresses to the tar that it was made of; the diff ID is that tar's."""
    for layer in random_layers(seed, 2, operations=20):
        tar = layer.tar(end=bytes(4096))
        blob, written = chunked_blobs.write(ZSTD, tar, level=level, chunk_size=700)
        assert blob.tar() == tar
        assert written.diff_id == images.digest(tar)
        assert (written.size, written.tar_size) == (len(blob.data), len(tar))
        assert written.digest == images.digest(blob.data)


def test_the_same_bytes_each_time() -> None:
    """Nothing of the time or the machine is in it."""
    tar = images.small_layer().tar()
    assert chunked_blobs.write(ZSTD, tar)[0].data == chunked_blobs.write(ZSTD, tar)[0].data


def test_pieces_of_a_large_file() -> None:
    """Each is a frame of its own, with its digest."""
    content = b"".join(hashlib.sha256(b"%d" % n).digest() for n in range(1000))
    tar = images.LayerBuilder().file("big", content).file("small", b"x").tar()
    blob, _ = chunked_blobs.write(ZSTD, tar, chunk_size=10_000)
    big, small = blob.toc().entries
    assert [chunk.size for chunk in big.chunks] == [10_000, 10_000, 10_000, 2_000]
    assert blob.content(big) == content
    assert blob.content(small) == b"x"
    assert all(chunk.stored < 11_000 for chunk in big.chunks)


def test_sparse_files() -> None:
    """Their holes are pieces that need not be fetched; the tar still stays the same."""
    builder = images.LayerBuilder()
    builder.file("GNUSparseFile.0/log", SPARSE_CONTENT, pax=SPARSE_RECORDS).file("x", b"1")
    tar = builder.tar()
    blob, written = chunked_blobs.write(ZSTD, tar)
    assert blob.tar() == tar
    assert written.diff_id == images.digest(tar)
    log, other = blob.toc().entries
    assert [chunk.codec for chunk in log.chunks] == [Codec.ZEROS, Codec.ZSTD] * 2 + [Codec.ZEROS]
    content = bytearray(50_000)
    content[10_000:10_003], content[40_000:40_010] = b"abc", b"0123456789"
    assert blob.content(log) == content
    assert blob.content(other) == b"1"


def test_a_file_that_is_one_hole() -> None:
    """There is nothing of it in the tar."""
    records = [*SPARSE_RECORDS[:3], (b"GNU.sparse.realsize", b"9000")]
    tar = images.LayerBuilder().file("x", images.padded(b"0\n"), pax=records).tar()
    blob, _ = chunked_blobs.write(ZSTD, tar)
    assert blob.tar() == tar
    assert blob.content(blob.toc().entries[0]) == bytes(9000)


def test_zstd_and_tar_read_it(tmp_path: Path) -> None:
    """zstd(1) decompresses it; tar(1) lists what is in it."""
    tar = images.small_layer().tar()
    blob, _ = chunked_blobs.write(ZSTD, tar, chunk_size=2)
    (tmp_path / "layer").write_bytes(blob.data)
    out = subprocess.run(["zstd", "-dc", tmp_path / "layer"], check=True, capture_output=True)
    assert out.stdout == tar


def test_what_is_no_layer() -> None:
    """It is refused, with the layer's name."""
    with pytest.raises(IntegrityError, match="not a valid layer: web: "):
        chunked_blobs.write(ZSTD, b"garbage" * 1000, what="web")
