"""`rootless.transfer.layer_tar`: a layer of the store as the plain tar that it is."""

import os
from pathlib import Path

import images
import pytest

from rootless.errors import NotFound, RootlessError
from rootless.image.byte_stream import drain
from rootless.image.compact import compact
from rootless.image.layers import ChunkTable
from rootless.image.load import load
from rootless.image.store import Store
from rootless.oci.digest import Digest, sha256_of
from rootless.transfer.layer_tar import open_tar


def test_layer_comes_from_its_start(store: Store, tmp_path: Path) -> None:
    """Each opening is a stream of its own."""
    content = images.small_layer().tar()
    load(store, str(images.oci_layout(tmp_path / "pic", [content])))
    for _ in range(2):
        with open_tar(store, Digest(images.digest(content))) as tar:
            assert tar.read(len(content) + 1) == content


def test_missing_layer_says_so(store: Store) -> None:
    """With the way out."""
    with pytest.raises(NotFound, match="load the image again"), open_tar(store, sha256_of(b"")):
        pass


def test_a_compressed_layer_is_decoded(store: Store, tmp_path: Path) -> None:
    """In reads of any size; damage in it is an error of ours."""
    content = images.LayerBuilder().file("f", b"the same again; " * 100_000).tar()
    load(store, str(images.oci_layout(tmp_path / "pic", [content])))
    layer = Digest(images.digest(content))
    list(compact(store, [layer]))
    for _ in range(2):
        with open_tar(store, layer) as tar:
            pieces = list(iter(lambda: tar.read(70_001), b""))
        assert b"".join(pieces) == content
    with ChunkTable(store.coded_path(layer)) as table:
        os.truncate(table.data, 100)
    with pytest.raises(RootlessError), open_tar(store, layer) as tar:
        drain(tar)
