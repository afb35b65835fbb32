"""What builds keep of their steps."""

import os
import time
from pathlib import Path

import pytest
from stocked import store_with_pic

from rootless.errors import StoreError
from rootless.image import build_cache, gc, names
from rootless.image.build_cache import KeptStep, forget, held, keep, kept, look_up, mounts
from rootless.image.remove import remove
from rootless.image.store import Store
from rootless.oci.digest import Digest, sha256_of

_KEY = sha256_of(b"step")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """A store with the image `pic`."""
    return store_with_pic(tmp_path)


def _layer(store: Store) -> Digest:
    return names.resolve(store, "pic").config.diff_ids[0]


def test_kept_and_found(store: Store) -> None:
    """A step is found by its key, with a layer and without."""
    assert look_up(store, _KEY) is None
    for step in (KeptStep(_layer(store), 5, "file:7"), KeptStep(None, 0)):
        keep(store, _KEY, step)
        assert look_up(store, _KEY) == step
    assert look_up(store, sha256_of(b"another")) is None


def test_without_its_layer(store: Store) -> None:
    """A step whose layer has gone has to be done again."""
    keep(store, _KEY, KeptStep(sha256_of(b"gone"), 0))
    assert look_up(store, _KEY) is None


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "7", '{"diff_id": null}', '{"diff_id": "x", "created": 0, "content": ""}'],
)
def test_damaged(store: Store, text: str) -> None:
    """A file that says nothing, as after a power cut, is no step and holds nothing."""
    keep(store, _KEY, KeptStep(None, 0))
    [path] = kept(store)
    path.write_text(text)
    assert look_up(store, _KEY) is None
    assert list(held(store)) == []


def test_holds_its_layer(store: Store) -> None:
    """A layer outlives its image as long as a step is kept that made it."""
    layer = _layer(store)
    keep(store, _KEY, KeptStep(layer, 0))
    remove(store, ["pic"])
    gc.collect(store)
    assert store.has_layer(layer)
    assert look_up(store, _KEY) is not None
    assert forget(store) == 1
    gc.collect(store)
    assert not store.has_layer(layer)


def test_forgotten_by_age(store: Store) -> None:
    """Only steps that are wanted go."""
    keep(store, _KEY, KeptStep(None, 0))
    keep(store, sha256_of(b"old"), KeptStep(None, 0))
    old = store.root / build_cache.STEPS / f"{sha256_of(b'old')[7:]}.json"
    os.utime(old, ns=(0, 0))
    before = time.time_ns() - 3600 * 10**9
    assert forget(store, lambda moment: moment < before) == 1
    assert look_up(store, _KEY) is not None


def test_what_a_killed_build_left(store: Store) -> None:
    """A file that was being written is no step, and the sweep removes it."""
    keep(store, _KEY, KeptStep(None, 0))
    left = store.root / build_cache.STEPS / ".tmp-0123456789abcdef"
    left.write_text("{")
    assert len(list(kept(store))) == 1
    assert gc.sweep(store) == 1
    assert not left.exists()


def test_mounts(store: Store) -> None:
    """The folders of cache mounts are listed; none before there was one."""
    assert mounts(store) == []
    folder = store.root / build_cache.MOUNTS / "apt"
    folder.mkdir(parents=True)
    assert mounts(store) == [folder]


@pytest.mark.skipif(os.getuid() == 0, reason="needs an ordinary user")
def test_unwritable(store: Store) -> None:
    """A store that takes nothing says so."""
    store.root.chmod(0o500)
    try:
        with pytest.raises(StoreError):
            keep(store, _KEY, KeptStep(None, 0))
    finally:
        store.root.chmod(0o700)
