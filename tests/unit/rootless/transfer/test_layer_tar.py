"""`rootless.transfer.layer_tar`: a layer of the store as the plain tar that it is."""

from pathlib import Path

import images
import pytest

from rootless.errors import NotFound
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
    with pytest.raises(NotFound, match="load or pull"), open_tar(store, sha256_of(b"")):
        pass
