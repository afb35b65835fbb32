"""`rootless.image.prune`: what is in use, or has a name, stays."""

from pathlib import Path

import images
import pytest

from rootless.image import names
from rootless.image.load import load
from rootless.image.prune import prune
from rootless.image.store import Store


@pytest.fixture
def loaded(store: Store, tmp_path: Path) -> Store:
    """A store with the images `one` and `two`, and one that had the name `two` before."""
    for number, name in enumerate(("two", "one", "two")):
        layer = images.LayerBuilder().file(str(number))
        config = {"Labels": {"number": str(number)}}
        folder = images.oci_layout(tmp_path / str(number), [layer], tag=name, config=config)
        load(store, str(folder))
    return store


def left(store: Store) -> list[str]:
    """Return the names of what is there; "" for an image without one."""
    return sorted(entry.reference for entry in names.entries(store))


def test_without_a_name(loaded: Store) -> None:
    """Only what has lost its name goes."""
    assert left(loaded) == ["", "localhost/one:latest", "localhost/two:latest"]
    removed = prune(loaded, set(), everything=False)
    assert len(removed.deleted) == 1
    assert removed.freed > 0
    assert left(loaded) == ["localhost/one:latest", "localhost/two:latest"]
    assert prune(loaded, set(), everything=False).deleted == ()


def test_everything(loaded: Store) -> None:
    """With a name or without: but what is in use."""
    used = names.resolve(loaded, "one").config_digest
    assert len(prune(loaded, {used}, everything=True).deleted) == 2
    assert left(loaded) == ["localhost/one:latest"]
    assert prune(loaded, set(), everything=True).untagged == ("localhost/one:latest",)
    assert left(loaded) == []


def test_no_store(tmp_path: Path) -> None:
    """Where no store was made yet there is nothing to remove, and none is made."""
    none = Store(tmp_path / "none", tmp_path / "scratch")
    assert prune(none, set(), everything=True).deleted == ()
    assert not none.root.exists()


def test_wanted(loaded: Store) -> None:
    """Only what is meant goes; a damaged image is never known to be meant."""
    removed = prune(
        loaded, set(), everything=True, wanted=lambda image: image.config.labels["number"] == "1"
    )
    assert removed.untagged == ("localhost/one:latest",)
    loaded.blob_path(names.resolve(loaded, "two").config_digest).unlink()
    assert len(prune(loaded, set(), everything=True).deleted) == 1
    assert left(loaded) == ["localhost/two:latest"]
