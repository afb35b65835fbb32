"""An image of layers that are in the store."""

import json
from pathlib import Path

import pytest
from stocked import store_with_pic

from rootless.build.kept_image import keep
from rootless.build.request import BuildRequest
from rootless.errors import NotFound
from rootless.image import names, trees
from rootless.image.store import Store
from rootless.oci.digest import sha256_of


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """A store with the image `pic`."""
    return store_with_pic(tmp_path)


def _config(*diff_ids: str) -> bytes:
    document = {"architecture": "amd64", "os": "linux"}
    return json.dumps({**document, "rootfs": {"type": "layers", "diff_ids": diff_ids}}).encode()


def test_of_layers_that_are_there(store: Store) -> None:
    """It has their sizes, and its files can be read."""
    pic = names.resolve(store, "pic")
    identity = keep(
        store, _config(*pic.config.diff_ids), BuildRequest(tags=("localhost/made:latest",))
    )
    made = names.resolve(store, "made")
    assert made.config_digest == identity
    assert made.size == pic.size
    assert trees.read_file(store, made, b"etc/passwd") == trees.read_file(store, pic, b"etc/passwd")


def test_a_layer_that_is_not(store: Store) -> None:
    """Without one of its layers there is no image, and nothing is named."""
    with pytest.raises(NotFound):
        keep(store, _config(sha256_of(b"gone")), BuildRequest(tags=("localhost/made:latest",)))
    with pytest.raises(NotFound):
        names.find(store, "made")
