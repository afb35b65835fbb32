"""`rootless.image.forms`: which form of a layer counts, and which tree fits it."""

from pathlib import Path

import pytest

from rootless.errors import NotFound
from rootless.image import forms
from rootless.image.forms import Form
from rootless.image.store import Store
from rootless.oci.digest import Digest, chain_id, sha256_of

LOW, HIGH = sha256_of(b"low"), sha256_of(b"high")


def put(path: Path) -> Path:
    """Make a file where a layer has one."""
    path.parent.mkdir(exist_ok=True)
    path.touch()
    return path


def put_lazy(store: Store, diff_id: Digest) -> Path:
    """Make what stands for a lazy layer."""
    return put(store.lazy_folder(diff_id) / "layer-chunks")


def test_the_tar_counts_before_the_others(store: Store) -> None:
    """A tar is taken where it is there, else a coded layer, else a lazy one."""
    lazy = put_lazy(store, LOW)
    assert forms.find(store, LOW) == forms.Place(Form.LAZY, lazy, lazy.with_name("index"))
    coded = put(store.coded_path(LOW))
    assert forms.find(store, LOW) == forms.Place(Form.CODED, coded, store.index_path(LOW))
    tar = put(store.blob_path(LOW))
    assert forms.find(store, LOW) == forms.Place(Form.TAR, tar, store.index_path(LOW))


def test_a_missing_layer(store: Store) -> None:
    """What is in no form there is missing; a lazy layer's folder without a table is none."""
    store.lazy_folder(LOW).mkdir()
    with pytest.raises(NotFound, match="layer missing from the store"):
        forms.find(store, LOW)


def test_names_tell_the_layer(store: Store) -> None:
    """In every form the path of the contents tells the diff ID."""
    for path in (store.blob_path(LOW), store.coded_path(LOW), put_lazy(store, LOW)):
        assert forms.diff_id_of(path) == LOW
        assert forms.is_lazy(path) == (path.name == "layer-chunks")


def test_a_tree_for_each_choice_of_lazy_layers(store: Store) -> None:
    """Trees over lazy layers have names of their own, which change as layers get complete."""
    put_lazy(store, LOW)
    put_lazy(store, HIGH)
    seen = []
    for complete in ((), (LOW,), (HIGH,)):
        for diff_id in complete:
            put(store.blob_path(diff_id))
        seen.append(forms.tree_path(store, (LOW, HIGH), forms.find_all(store, (LOW, HIGH))))
    assert len(set(seen)) == 3
    assert [path.name.endswith(".lazy.v2") for path in seen] == [True, True, False]
    assert seen[-1] == store.tree_path(chain_id((LOW, HIGH)))
