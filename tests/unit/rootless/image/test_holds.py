"""What containers hold of the store."""

import os
from pathlib import Path

import pytest
from stocked import store_with_pic

from rootless.image import gc, names
from rootless.image.holds import DUE, configs_held, held, needs_of, note_due, objects_of
from rootless.image.remove import remove
from rootless.image.store import Store
from rootless.linux.folder_lock import make_locked


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """A store with the image `pic`."""
    return store_with_pic(tmp_path)


def test_nothing(store: Store) -> None:
    """A store without containers, and a folder without a note, hold nothing."""
    assert list(held(store)) == []
    (store.root / "containers" / "x").mkdir(parents=True)
    (store.root / "containers" / "file").touch()
    assert list(held(store)) == []


def test_outlives_the_image(store: Store) -> None:
    """Everything of the image stays while a container needs it, and is collected afterwards."""
    image = names.resolve(store, "pic")
    objects = {path for path in objects_of(store, image) if path.exists()}
    assert objects
    container = store.root / "containers" / "x"
    container.mkdir(parents=True)
    (container / "needs").write_text("".join(f"{line}\n" for line in needs_of(store, image)))
    assert objects <= set(held(store))
    remove(store, ["pic"])
    assert all(path.exists() for path in objects)
    (container / "needs").unlink()
    note_due(store.root)
    assert (store.root / DUE).exists()
    gc.collect_if_due(store)
    assert not any(path.exists() for path in objects)
    assert not (store.root / DUE).exists()


def test_what_runs_without_a_name(store: Store) -> None:
    """Its note lies beside what is live, and counts as long as its folder is locked."""
    image = names.resolve(store, "pic")
    assert store.runtime is not None
    folder = store.runtime / "runs" / "x"
    folder.parent.mkdir(parents=True)
    lock_fd = make_locked(folder)
    (folder / "needs").write_text("".join(f"{line}\n" for line in needs_of(store, image)))
    names.drop(store, names.entries(store))
    gc.collect(store)
    assert store.blob_path(image.config_digest).exists()
    assert {who for who, _ in configs_held(store)} == {"container x"}
    os.close(lock_fd)
    gc.collect(store)
    assert not store.blob_path(image.config_digest).exists()
