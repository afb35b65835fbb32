"""`rootless.image.share`: others may read what they need, and nothing else."""

from pathlib import Path

import images
import pytest

from rootless.errors import NotFound
from rootless.image import names
from rootless.image.load import load
from rootless.image.share import share, unshare
from rootless.image.store import Store
from rootless.oci.digest import chain_id


def modes(store: Store) -> dict[str, int]:
    """Return the permissions of all folders and files."""
    found = {"": store.root.stat().st_mode & 0o777}
    for path in store.root.rglob("*"):
        found[str(path.relative_to(store.root))] = path.stat().st_mode & 0o777
    return found


def test_shared_and_not(store: Store, tmp_path: Path) -> None:
    """Folders with images are open, those of what is at work are not; trees are all there."""
    load(store, str(images.oci_layout(tmp_path / "a", [images.small_layer()], tag="a")))
    before = modes(store)
    tree = store.tree_path(chain_id(names.resolve(store, "a").config.diff_ids))
    tree.unlink()
    assert share(store) == ["localhost/a:latest"]
    assert tree.exists()
    after = modes(store)
    opened = {name for name, mode in after.items() if mode == 0o755}
    assert opened == {"", "blobs", "blobs/sha256", "layers", "layers/sha256", "trees"}
    for name, mode in after.items():
        if name.rpartition("/")[0] in opened and (store.root / name).is_file():
            assert mode == 0o644, name
    other = images.LayerBuilder().file("b")
    load(store, str(images.oci_layout(tmp_path / "b", [other], tag="b")))
    assert {name for name, mode in modes(store).items() if mode == 0o755} == opened
    unshare(store)
    assert {name: modes(store)[name] for name in before} == before


def test_an_image_that_is_not_whole(store: Store, tmp_path: Path) -> None:
    """It is told before anybody else sees the store."""
    load(store, str(images.oci_layout(tmp_path / "a", [images.small_layer()], tag="a")))
    (diff_id,) = names.resolve(store, "a").config.diff_ids
    for path in (store.blob_path(diff_id), store.tree_path(chain_id([diff_id]))):
        path.unlink()
    with pytest.raises(NotFound):
        share(store)
    assert store.root.stat().st_mode & 0o777 == 0o700
