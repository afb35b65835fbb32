"""`rootless.lazy.promote`: a layer that is whole is what a pull would have made of it."""

import fcntl
import json
import os
from pathlib import Path

import images
import lazies
import pytest

from rootless.errors import IntegrityError
from rootless.image import forms, names, trees
from rootless.image.forms import Form
from rootless.image.load import describe
from rootless.image.plan import PlannedImage
from rootless.image.store import Store
from rootless.image.transaction import Transaction
from rootless.lazy.layer import Layer
from rootless.lazy.promote import promote
from rootless.lazy.ranges import Run
from rootless.oci.digest import chain_id, sha256_of
from rootless.oci.image_config import parse_image_config

LOW = lazies.made(images.small_layer().file("low", os.urandom(5000)))
HIGH = lazies.made(images.LayerBuilder().file("high", b"2" * 5000), "zstd-chunked")


@pytest.fixture
def image(store: Store) -> names.Image:
    """An image of two lazy layers, of which nothing is here."""
    rootfs = {"type": "layers", "diff_ids": [LOW.diff_id, HIGH.diff_id]}
    config = json.dumps({"architecture": "amd64", "os": "linux", "rootfs": rootfs}).encode()
    planned = PlannedImage(("localhost/a:latest",), config, parse_image_config(config), (), None)
    for made in (LOW, HIGH):
        made.staged(store)
    trees.ensure_tree(store, planned.config)
    with Transaction(store) as transaction:
        digest = transaction.add_blob(config)
        transaction.commit(describe(transaction, digest, len(config), planned, None))
    return names.resolve(store, "a")


def fill(store: Store, made: lazies.Made, data: bytes | None = None) -> None:
    """Have all of a layer's blob come."""
    with Layer(store.lazy_folder(made.diff_id)) as layer:
        layer.take(Run(0, len(made.data)), data or made.data)


def test_layer_by_layer(store: Store, image: names.Image) -> None:
    """With each layer the image gets a tree that fits; with the last one it is an ordinary one."""
    diff_ids = image.config.diff_ids
    for made in (HIGH, LOW):
        fill(store, made)
        promote(store, made.diff_id)
        assert forms.find(store, made.diff_id).form is Form.TAR
        assert not store.lazy_folder(made.diff_id).exists()
        places = forms.find_all(store, diff_ids)
        assert forms.tree_path(store, diff_ids, places).exists()
        assert trees.read_file(store, names.resolve(store, "a"), b"etc/none") is None
    assert store.tree_path(chain_id(diff_ids)).exists()
    whole = names.resolve(store, "a")
    assert whole.config_digest == image.config_digest
    assert [layer.size for layer in whole.manifest.layers] == [
        store.blob_path(diff_id).stat().st_size for diff_id in diff_ids
    ]
    assert [entry.reference for entry in names.entries(store)] == ["localhost/a:latest"]
    high = b"2" * 5000
    assert trees.read_file(store, whole, b"high") == high


def test_a_blob_that_is_another(store: Store, image: names.Image) -> None:
    """What no chunk's digest covers is held against the blob's digest; nothing is promoted."""
    data = bytearray(LOW.data)
    with Layer(store.lazy_folder(LOW.diff_id)) as layer:
        gap = next(part for part in layer.blob_map.inside(Run(0, len(data))) if part.owner < 0)
    data[gap.start + 9] ^= 1  # an operating system that a header of gzip's names
    fill(store, LOW, bytes(data))
    with pytest.raises(IntegrityError, match="wrong digest"):
        promote(store, LOW.diff_id)
    assert forms.find(store, LOW.diff_id).form is Form.LAZY


def test_a_run_that_is_about_to_open_it(store: Store, image: names.Image) -> None:
    """The folder stays for whoever has it locked, and goes with the next collection."""
    fill(store, LOW)
    folder = store.lazy_folder(LOW.diff_id)
    lock_fd = os.open(folder, os.O_RDONLY)
    fcntl.flock(lock_fd, fcntl.LOCK_SH)
    try:
        promote(store, LOW.diff_id)
        assert (folder / "layer-chunks").exists()
        assert forms.find(store, LOW.diff_id).form is Form.TAR
        assert (store.root / "collection-due").exists()
    finally:
        os.close(lock_fd)


def test_twice(store: Store, image: names.Image) -> None:
    """Who comes second, and finds an ordinary layer, has nothing to do."""
    fill(store, LOW)
    promote(store, LOW.diff_id)
    before = sha256_of(Path(store.index_path(LOW.diff_id)).read_bytes())
    promote(store, LOW.diff_id)
    assert sha256_of(Path(store.index_path(LOW.diff_id)).read_bytes()) == before
