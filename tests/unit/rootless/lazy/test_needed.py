"""`rootless.lazy.needed`: what is there, and what becomes of a fetch that cannot be done."""

import os
import shutil
from contextlib import suppress
from pathlib import Path

import images
import lazies
import pytest

from rootless.errors import NotFound, RegistryError, StoreError
from rootless.image import forms, trees
from rootless.image.store import Store
from rootless.lazy import needed, present
from rootless.lazy.layer import Layer
from rootless.lazy.needed import complete, fetch_files, is_lazy, share_here
from rootless.lazy.ranges import Run
from rootless.oci.digest import sha256_of

MADE = lazies.made(
    images.LayerBuilder()
    .directory("etc")
    .file("etc/passwd", b"root:x:0:0::/:/bin/sh\n")
    .file("big", os.urandom(100_000))
)
DIFF_IDS = [MADE.diff_id]


def test_how_much_is_here(store: Store) -> None:
    """Nothing, then all; a layer that is nowhere counts as none."""
    folder = MADE.staged(store)
    assert is_lazy(store, DIFF_IDS)
    assert share_here(store, DIFF_IDS) == 0.0
    with Layer(folder) as layer:
        layer.take(Run(0, len(MADE.data)), MADE.data)
    assert share_here(store, [*DIFF_IDS, sha256_of(b"nowhere")]) == 1.0


def test_ordinary_layers_need_nothing(store: Store) -> None:
    """Nothing is started for a layer whose tar is there; one that is nowhere is told of."""
    store.blob_path(MADE.diff_id).touch()
    complete(store, DIFF_IDS)
    fetch_files(store, DIFF_IDS, [b"etc/passwd"])
    assert not is_lazy(store, DIFF_IDS)
    with pytest.raises(NotFound, match="layer missing"):
        complete(store, [sha256_of(b"nowhere")])


def test_files_that_are_there(store: Store) -> None:
    """Nothing is started for files that have come, nor for names of none."""
    folder = MADE.staged(store)
    trees.located(store, DIFF_IDS)
    with Layer(folder) as layer:
        layer.take(Run(0, len(MADE.data)), MADE.data)
    fetch_files(store, DIFF_IDS, [b"etc/passwd", b"etc/group", b"etc"])


def test_what_cannot_be_had(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """A registry that is not there is an error of its own kind, after as long as is asked for."""
    monkeypatch.setenv("ROOTLESS_LAZY_PATIENCE", "0.2")
    monkeypatch.setattr(lazies, "ORIGIN", lazies.Origin("127.0.0.1:9/some/image", False))
    MADE.staged(store)
    for fetch in (complete, lambda *args: fetch_files(*args, [b"etc/passwd"])):
        with pytest.raises(RegistryError, match=r"127\.0\.0\.1:9"):
            fetch(store, DIFF_IDS)
    assert is_lazy(store, DIFF_IDS)
    with suppress(FileNotFoundError):
        assert not os.listdir(store.root / "locks")


def test_another_makes_it_ordinary_meanwhile(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """A layer that a run beside this completes is there, between any two looks at it."""
    count = present.count

    def finish(*_: object) -> None:
        store.blob_path(MADE.diff_id).write_bytes(b"tar")
        shutil.rmtree(store.lazy_folder(MADE.diff_id))

    def lose(*_: object) -> None:
        finish()
        raise StoreError("No such file or directory", "kept")

    def count_late(path: Path) -> tuple[int, int]:
        finish()
        return count(path)

    MADE.staged(store)
    monkeypatch.setattr(present, "count", count_late)
    assert share_here(store, DIFF_IDS) == 1.0
    assert forms.size_of(store, DIFF_IDS[0]) == 3
    store.blob_path(MADE.diff_id).unlink()
    MADE.staged(store)
    monkeypatch.setattr(needed, "_run", lose)
    complete(store, DIFF_IDS)
    assert not is_lazy(store, DIFF_IDS)
