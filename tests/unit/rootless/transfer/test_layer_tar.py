"""`rootless.transfer.layer_tar`: a layer of the store as the plain tar that it is."""

import gzip
import os
from pathlib import Path

import images
import pytest

from fuse.chunk_table import ChunkTableWriter
from rootless.errors import NotFound
from rootless.image.byte_stream import read_up_to
from rootless.image.compact import compact
from rootless.image.load import load
from rootless.image.store import Store
from rootless.oci.digest import Digest, hex_of, sha256_of
from rootless.transfer.layer_tar import kept_blob, open_tar

TAR = images.small_layer().tar()
DIFF_ID = Digest(images.digest(TAR))


def test_layer_comes_from_its_start(store: Store, tmp_path: Path) -> None:
    """Each opening is a stream of its own."""
    load(store, str(images.oci_layout(tmp_path / "pic", [TAR])))
    for _ in range(2):
        with open_tar(store, DIFF_ID) as tar:
            assert tar.read(len(TAR) + 1) == TAR


def test_missing_layer_says_so(store: Store) -> None:
    """With the way out."""
    with pytest.raises(NotFound, match="load the image again"), open_tar(store, sha256_of(b"")):
        pass


def code(store: Store, blob: bytes) -> None:
    """Have the layer in the store as the blob in which it came."""
    store.blob_path(DIFF_ID).unlink()
    digest = store.write_blob(blob)
    data = f"../../blobs/sha256/{hex_of(digest)}"
    with ChunkTableWriter(store.coded_path(DIFF_ID), data=data, kind="gzip") as table:
        table.add(0, len(TAR), place=0, stored=len(blob), codec=1)
        table.finish(len(TAR))


def test_coded_layer_is_decompressed_and_its_blob_is_known(store: Store, tmp_path: Path) -> None:
    """The blob goes out as it came, from any offset."""
    load(store, str(images.oci_layout(tmp_path / "pic", [TAR])))
    assert kept_blob(store, DIFF_ID) is None
    blob = gzip.compress(TAR, mtime=0)
    code(store, blob)
    with open_tar(store, DIFF_ID) as tar:
        assert read_up_to(tar, len(TAR) + 1) == TAR
    kept = kept_blob(store, DIFF_ID)
    assert kept is not None
    assert (kept.digest, kept.size) == (sha256_of(blob), len(blob))
    with kept.open_at(7) as stream:
        assert stream.read(len(blob)) == blob[7:]


def test_layer_that_is_not_all_there_says_so(store: Store) -> None:
    """It cannot go anywhere before."""
    folder = store.lazy_folder(DIFF_ID)
    folder.mkdir(parents=True)
    (folder / "layer-chunks").touch()
    with pytest.raises(NotFound, match="not all there yet"), open_tar(store, DIFF_ID):
        pass


def test_a_compacted_layer_is_one_zstd_stream(store: Store, tmp_path: Path) -> None:
    """It can go out as such, parts that do not shrink and all."""
    layer = images.LayerBuilder().file("f", b"the same again; " * 100_000)
    content = layer.file("noise", os.urandom(300_000)).tar()
    load(store, str(images.oci_layout(tmp_path / "pic", [content])))
    diff_id = Digest(images.digest(content))
    list(compact(store, [diff_id]))
    with open_tar(store, diff_id) as tar:
        assert read_up_to(tar, len(content) + 1) == content
    kept = kept_blob(store, diff_id)
    assert kept is not None
    with kept.open_at(0) as stream:
        assert sha256_of(stream.read(1 << 30) or b"") == kept.digest


def test_error_of_who_takes_the_bytes_is_his_own(store: Store, tmp_path: Path) -> None:
    """A full disk elsewhere is not blamed on the store."""
    load(store, str(images.oci_layout(tmp_path / "pic", [TAR])))
    with pytest.raises(BrokenPipeError), open_tar(store, DIFF_ID):
        raise BrokenPipeError
