"""`rootless.chunked.estargz`: what is written, and what everybody reads of it."""

import gzip
import hashlib
import io
import json
import subprocess
import tarfile
from pathlib import Path

import chunked_blobs
import images
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from random_image import random_layers

from rootless.chunked.estargz import write_estargz
from rootless.chunked.place import ESTARGZ_DIGEST, ESTARGZ_SIZE
from rootless.chunked.tar_parts import TarParts
from rootless.chunked.toc import Kind
from rootless.errors import IntegrityError

ESTARGZ = Kind.ESTARGZ


def members(tar: bytes) -> list[tuple[bytes, bytes]]:
    """Return the headers and the contents of each member."""
    parts = TarParts(io.BytesIO(tar), "layer")
    return [(part.head, b"".join(parts.contents(part.stored))) for part in parts]


@settings(database=None, max_examples=25, deadline=None)
@given(seed=st.integers(0, 1000), level=st.sampled_from([1, 6, 9]))
def test_the_members_stay_the_same(seed: int, level: int) -> None:
    """Two more are in it: the landmark first, the table of contents last."""
    for layer in random_layers(seed, 2, operations=20):
        tar = layer.tar(end=bytes(4096))
        blob, written = chunked_blobs.write(ESTARGZ, tar, level=level, chunk_size=700)
        found = members(blob.tar())
        assert found[1:-1] == members(tar)
        assert found[0][1] == b"\x0f"
        assert json.loads(found[-1][1])["version"] == 1
        assert written.diff_id == images.digest(blob.tar())
        assert written.digest == images.digest(blob.data)
        assert (written.size, written.tar_size) == (len(blob.data), len(blob.tar()))


def test_the_annotations() -> None:
    """The digest is of the JSON; the size is that of the tar."""
    blob, written = chunked_blobs.write(ESTARGZ, images.small_layer().tar())
    document = members(blob.tar())[-1][1]
    assert written.annotations == {
        ESTARGZ_DIGEST: images.digest(document),
        ESTARGZ_SIZE: str(len(blob.tar())),
    }


def test_the_same_bytes_each_time() -> None:
    """Nothing of the time or the machine is in it."""
    tar = images.small_layer().tar()
    assert chunked_blobs.write(ESTARGZ, tar)[0].data == chunked_blobs.write(ESTARGZ, tar)[0].data


def test_pieces_of_a_large_file() -> None:
    """Each begins a gzip member; the last one has no size, as the specification wants it."""
    content = b"".join(hashlib.sha256(b"%d" % n).digest() for n in range(1000))
    tar = images.LayerBuilder().file("big", content).file("small", b"x").tar()
    blob, _ = chunked_blobs.write(ESTARGZ, tar, chunk_size=10_000)
    _, big, small = blob.toc().entries
    assert [chunk.size for chunk in big.chunks] == [10_000, 10_000, 10_000, 2_000]
    assert blob.content(big) == content
    assert blob.content(small) == b"x"
    entries = json.loads(members(blob.tar())[-1][1])["entries"]
    pieces = [each for each in entries if each["name"] == "big"]
    assert [each["type"] for each in pieces] == ["reg", "chunk", "chunk", "chunk"]
    assert [each.get("chunkSize") for each in pieces] == [10_000] * 3 + [None]
    assert pieces[0]["digest"] == images.digest(content)
    for each in pieces:
        assert blob.data[each["offset"] :].startswith(b"\x1f\x8b")


def test_prioritized_files() -> None:
    """They come first, the landmark behind them, the others after that."""
    tar = images.small_layer().tar()
    blob, _ = chunked_blobs.write(ESTARGZ, tar, prioritized=[b"usr/bin/su", b"bin/dash"])
    toc = blob.toc()
    names = [entry.path for entry in toc.entries]
    first = [b"", b"usr", b"usr/bin", b"usr/bin/su", b"bin", b"bin/sh", b"bin/dash"]
    assert names[:8] == [*first, b".prefetch.landmark"]
    by_name = {entry.path: entry for entry in toc.entries}
    assert by_name[b"bin/sh"].chunks[0].place < toc.prefetch_end
    assert by_name[b"etc/passwd"].chunks[0].place > toc.prefetch_end
    assert sorted(names[:7] + names[8:]) == sorted(
        entry.path for entry in chunked_blobs.write(ESTARGZ, tar)[0].toc().entries[1:]
    )


def test_nothing_of_what_is_prioritized_is_there() -> None:
    """Then the landmark says so."""
    blob, _ = chunked_blobs.write(ESTARGZ, images.small_layer().tar(), prioritized=[b"nothing"])
    assert blob.toc().entries[0].path == b".no.prefetch.landmark"


def test_a_layer_that_is_estargz_already() -> None:
    """Its own table of contents and landmark are left out."""
    once, first = chunked_blobs.write(ESTARGZ, images.small_layer().tar())
    again, second = chunked_blobs.write(ESTARGZ, once.tar())
    assert second.diff_id == first.diff_id
    assert again.data == once.data


def test_sparse_files_are_filled() -> None:
    """The format has no word for holes; attributes are kept."""
    records = [
        (b"GNU.sparse.major", b"1"),
        (b"GNU.sparse.minor", b"0"),
        (b"GNU.sparse.name", b"log"),
        (b"GNU.sparse.realsize", b"5000000"),
        (b"SCHILY.xattr.user.a", b"b"),
    ]
    content = images.padded(b"2\n100\n3\n4000000\n10\n") + b"abc" + b"0123456789"
    tar = images.LayerBuilder().file("GNUSparseFile.0/log", content, pax=records, uid=7).tar()
    blob, _ = chunked_blobs.write(ESTARGZ, tar)
    log = blob.toc().entries[1]
    expected = bytearray(5_000_000)
    expected[100:103], expected[4_000_000:4_000_010] = b"abc", b"0123456789"
    assert (log.path, log.uid, log.xattrs) == (b"log", 7, {b"user.a": b"b"})
    assert blob.content(log) == expected
    assert members(blob.tar())[1][1] == expected


def test_gzip_and_tar_read_it(tmp_path: Path) -> None:
    """gzip(1) decompresses it, tar(1) extracts it, and so does Python."""
    tar = images.LayerBuilder().directory("d").file("d/f", b"hello").tar()
    blob, _ = chunked_blobs.write(ESTARGZ, tar, chunk_size=2)
    (tmp_path / "layer").write_bytes(blob.data)
    subprocess.run(["gzip", "-t"], input=blob.data, check=True)
    subprocess.run(["tar", "xzf", "layer", "d"], cwd=tmp_path, check=True)
    assert (tmp_path / "d" / "f").read_bytes() == b"hello"
    with tarfile.open(fileobj=io.BytesIO(gzip.decompress(blob.data))) as archive:
        assert archive.getnames()[-1] == "stargz.index.json"


def test_what_is_no_layer() -> None:
    """It is refused, with the layer's name."""
    with pytest.raises(IntegrityError, match="not a valid layer: web: "):
        write_estargz(io.BytesIO(b"garbage" * 1000), io.BytesIO(), what="web")
