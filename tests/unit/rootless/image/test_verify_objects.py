"""`rootless.image.verify_objects`: what is told of one layer, and what of one tree."""

from pathlib import Path

import images
import pytest

from rootless.errors import IntegrityError, NotFound
from rootless.image.fault import LAYER, Fault
from rootless.image.load import load
from rootless.image.store import Store
from rootless.image.verify import VerifyOptions, verify
from rootless.image.verify_objects import check_layer, check_tree, make_index, make_tree
from rootless.oci.digest import chain_id, sha256_of

TAR = images.small_layer().tar()
DIFF_ID = sha256_of(TAR)


@pytest.fixture
def loaded(store: Store, tmp_path: Path) -> Store:
    """A store with an image of one layer."""
    load(store, str(images.oci_layout(tmp_path / "a", [images.small_layer()], tag="a")))
    return store


def checked(store: Store, *, quick: bool = False) -> list[Fault]:
    """Check the layer."""
    return check_layer(store, DIFF_ID, len(TAR), lambda _: None, quick=quick)


def test_bytes_are_told(loaded: Store) -> None:
    """All bytes of the tar go by, unless nothing is read."""
    told: list[int] = []
    assert check_layer(loaded, DIFF_ID, None, told.append, quick=False) == []
    assert sum(told) == len(TAR)
    assert check_layer(loaded, DIFF_ID, None, pytest.fail, quick=True) == []


@pytest.mark.needs_user
def test_what_cannot_be_read(loaded: Store) -> None:
    """The kernel's word is told, and nothing raised: the other layers are checked, too."""
    path = loaded.blob_path(DIFF_ID)
    path.chmod(0)
    (fault,) = checked(loaded)
    assert fault.what == "cannot be read: Permission denied"
    report = verify(loaded, (), VerifyOptions(repair=True))
    assert [fault.is_unreadable for fault in report.left] == [True]
    assert path.exists()  # it may well be right
    path.chmod(0o644)


def test_a_blob_that_is_no_layer(store: Store) -> None:
    """A blob of the right digest that is no tar is told as that."""
    digest = store.write_blob(b"no tar at all" * 100)
    (fault,) = check_layer(store, digest, None, lambda _: None, quick=False)
    assert fault.kind == LAYER
    assert fault.what.startswith("not a layer: ")
    with pytest.raises(IntegrityError, match="the layer is damaged"):
        make_index(store, digest)
    assert not store.index_path(digest).exists()


def test_nothing_is_made_of_a_damaged_layer(loaded: Store) -> None:
    """An index is made of a tar with the right digest only."""
    loaded.index_path(DIFF_ID).unlink()
    loaded.blob_path(DIFF_ID).write_bytes(images.LayerBuilder().tar())
    with pytest.raises(IntegrityError):
        make_index(loaded, DIFF_ID)
    assert not loaded.index_path(DIFF_ID).exists()


def test_a_tree_whose_layers_are_gone(loaded: Store) -> None:
    """That is the layer's fault, and told there."""
    loaded.blob_path(DIFF_ID).unlink()
    assert check_tree(loaded, [DIFF_ID], lambda _: None, quick=False) == []
    with pytest.raises(NotFound):
        make_tree(loaded, [DIFF_ID])


def test_a_tree_that_cannot_be_read(loaded: Store) -> None:
    """A folder in its place is told."""
    path = loaded.tree_path(chain_id([DIFF_ID]))
    path.unlink()
    path.mkdir()
    (fault,) = check_tree(loaded, [DIFF_ID], lambda _: None, quick=False)
    assert "damaged" in fault.what
