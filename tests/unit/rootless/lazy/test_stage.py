"""`rootless.lazy.stage`: a layer's folder out of its table of contents."""

import os
from dataclasses import replace
from pathlib import Path

import images
import lazies
import pytest
import trio

from rootless.errors import StoreError
from rootless.image import forms
from rootless.image.layers import ChunkTable, LayerIndexReader
from rootless.image.store import Store
from rootless.lazy import source
from rootless.lazy.source import Origin
from rootless.lazy.stage import try_stage

BIG = os.urandom(3 << 20)


def layer() -> images.LayerBuilder:
    """A layer with a large file, a small one, an empty one and the accounts."""
    return (
        images.small_layer()
        .file("big", BIG)
        .file("empty", b"")
        .directory("zeros.d")
        .file("etc/group", b"root:x:0:\n")
    )


@pytest.mark.parametrize("kind", lazies.WRITERS)
def test_what_is_made(store: Store, kind: str) -> None:
    """Index and chunk table say what the layer has; nothing of its contents is there."""
    made = lazies.made(layer(), kind)
    folder = made.staged(store)
    assert folder == store.lazy_folder(made.diff_id)
    assert forms.find(store, made.diff_id).form is forms.Form.LAZY
    with LayerIndexReader(folder / "index") as index:
        entries = {entry.path: entry for entry in index.entries()}
    assert entries[b"big"].size == len(BIG)
    with ChunkTable(folder / "layer-chunks") as table:
        numbers = table.numbers(entries[b"big"].offset, len(BIG))
        assert len(numbers) >= 3
        assert set((folder / "present").read_bytes()) == {0}
        assert (folder / "data").stat().st_size == table.size
    assert (folder / "blob").stat().st_size == len(made.data)
    assert (folder / "data").stat().st_blocks == 0
    found = source.read(folder)
    assert (found.blob.digest, found.origins) == (made.descriptor.digest, (lazies.ORIGIN,))
    assert forms.size_of(store, made.diff_id) == (folder / "data").stat().st_size


def test_once_for_all(store: Store) -> None:
    """Who comes second leaves what is there, and is noted as one who has the layer."""
    made = lazies.made(layer())
    folder = made.staged(store)
    (folder / "order").write_bytes(b"\1\0\0\0")
    made.staged(store)
    other = Origin("other.example/image")
    args = (store, made.descriptor, made.diff_id, other, made.read_range)
    assert trio.run(try_stage, *args)
    assert source.read(folder).origins == (other, lazies.ORIGIN)
    assert (folder / "order").exists()
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]


def test_the_accounts_come_along(store: Store) -> None:
    """Files that a run reads before its root is mounted are there at once."""
    made = lazies.made(layer())
    args = (store, made.descriptor, made.diff_id, lazies.ORIGIN, made.read_range)
    assert trio.run(try_stage, *args)
    folder = store.lazy_folder(made.diff_id)
    with LayerIndexReader(folder / "index") as index:
        entries = {entry.path: entry for entry in index.entries()}
    data = (folder / "data").read_bytes()
    for path, text in ((b"etc/group", b"root:x:0:\n"),):
        assert data[entries[path].offset :][: len(text)] == text
    assert 1 in (folder / "present").read_bytes()


def test_an_ordinary_layer(store: Store) -> None:
    """A layer without a table of contents comes as a whole."""
    made = lazies.made(layer())
    plain = replace(made.descriptor, annotations={})
    assert not trio.run(try_stage, store, plain, made.diff_id, lazies.ORIGIN, made.read_range)
    assert not store.lazy_folder(made.diff_id).exists()


def test_a_wrong_table(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    """A table that is not the one of the manifest is told of, and the layer comes as a whole."""
    made = lazies.made(layer())
    annotations = {name: images.digest(b"other") for name in made.descriptor.annotations}
    other = replace(made.descriptor, annotations=annotations)
    assert not trio.run(try_stage, store, other, made.diff_id, lazies.ORIGIN, made.read_range)
    assert "the layer is downloaded as a whole" in caplog.text
    assert not list((store.root / "lazy/sha256").iterdir())


def test_a_store_that_cannot_be_written(store: Store) -> None:
    """An error leaves nothing behind."""
    made = lazies.made(layer())
    parent = store.root / "lazy/sha256"
    parent.rmdir()
    parent.write_text("in the way")
    with pytest.raises(StoreError, match="lazy"):
        made.staged(store)
    assert Path(parent).read_text() == "in the way"
