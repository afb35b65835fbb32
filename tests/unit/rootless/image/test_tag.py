"""Further names for an image."""

from pathlib import Path

import images
import pytest

from rootless.errors import Conflict, InvalidInput, NotFound
from rootless.image import lock, names
from rootless.image.load import load
from rootless.image.lock import STORE_LOCK
from rootless.image.store import Store
from rootless.image.tag import tag


@pytest.fixture
def loaded(store: Store, tmp_path: Path) -> Store:
    """A store with one image, `small`."""
    load(store, str(images.oci_layout(tmp_path / "layout", [images.small_layer()], tag="small")))
    return store


def test_all_names_mean_the_image(loaded: Store) -> None:
    """Each new name leads where the old one leads, which stays."""
    tag(loaded, "small", ["other:1", "quay.io/a/b"])
    found = {names.resolve(loaded, name).config_digest for name in ("small", "other:1", "b")}
    assert len(found) == 1


def test_nothing_is_named_where_one_name_is_none(loaded: Store) -> None:
    """A bad name among good ones changes nothing, nor does an image that is not there."""
    before = names.entries(loaded)
    with pytest.raises(InvalidInput):
        tag(loaded, "small", ["good", "Bad Name"])
    with pytest.raises(NotFound):
        tag(loaded, "none", ["good"])
    assert names.entries(loaded) == before


def test_waits_for_a_collection(loaded: Store) -> None:
    """While names are given nothing may be collected: the lock of loads is held together."""
    path = loaded.lock_path(STORE_LOCK)
    with lock.shared(path):
        tag(loaded, "small", ["other"])  # together with a load
        with pytest.raises(Conflict), lock.exclusive_within(path, 0):
            pytest.fail("a collection began")
