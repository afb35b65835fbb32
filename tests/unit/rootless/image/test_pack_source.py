"""`rootless.image.pack_source`: a pack brought into a store."""

from pathlib import Path

import packs
import pytest

from rootless.errors import IntegrityError
from rootless.image import names
from rootless.image.load import load
from rootless.image.store import Store
from rootless.paths import Paths


@pytest.fixture
def other(tmp_path: Path) -> Store:
    """Another store, empty."""
    root = tmp_path / "other"
    return Store.open(Paths(root, tmp_path / "run", root / "scratch"), create=True)


@pytest.mark.parametrize("compress", [0, 3])
def test_load(store: Store, other: Store, tmp_path: Path, compress: int) -> None:
    """Every object of the image is there again, byte for byte."""
    load(other, str(packs.packed(store, tmp_path, compress)))
    image = names.resolve(other, "a")
    assert image == names.resolve(store, "a")
    digests = (image.config_digest, image.manifest_digest, *image.config.diff_ids)
    for digest in digests:
        assert other.blob_path(digest).read_bytes() == store.blob_path(digest).read_bytes()


@pytest.mark.parametrize("compress", [0, 3])
def test_damaged_layer(store: Store, other: Store, tmp_path: Path, compress: int) -> None:
    """A changed layer is refused, and nothing of it kept."""
    pack = packs.packed(store, tmp_path, compress)
    data = bytearray(pack.read_bytes())
    data[4096 + 300] ^= 0xFF
    pack.write_bytes(data)
    with pytest.raises(IntegrityError):
        load(other, str(pack))
    assert names.entries(other) == ()
    assert list((other.root / "blobs" / "sha256").iterdir()) == []
