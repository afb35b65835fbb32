"""`rootless.image.survey`: what images and containers need."""

from pathlib import Path

import images

from rootless.image import names
from rootless.image.load import load
from rootless.image.store import Store
from rootless.image.survey import survey
from rootless.image.tag import tag
from rootless.oci.digest import sha256_of

LAYER = images.LayerBuilder().file("a", b"1")


def test_who_needs_what(store: Store, tmp_path: Path) -> None:
    """Every name is noted with the layers, the chain and the sizes of its image."""
    load(store, str(images.oci_layout(tmp_path / "a", [LAYER, LAYER], tag="a")))
    tag(store, "a", ["b"])
    found = survey(store, names.entries(store), containers=True, repair=False)
    diff_id = sha256_of(LAYER.tar())
    whose = {"localhost/a:latest": None, "localhost/b:latest": None}
    assert found.layers == {diff_id: whose}
    assert found.chains == {(diff_id, diff_id): whose}
    assert found.sizes == {diff_id: len(LAYER.tar())}
    assert found.faults == []


def test_an_image_without_a_name(store: Store, tmp_path: Path) -> None:
    """It is called by the beginning of its ID."""
    load(store, str(images.oci_layout(tmp_path / "a", [LAYER], tag="")))
    (entry,) = names.entries(store)
    found = survey(store, [entry, entry], containers=False, repair=False)
    assert found.chains == {(sha256_of(LAYER.tar()),): {entry.config_digest[7:19]: None}}
    assert len(found.documents) == 3


def test_what_containers_hold_and_is_no_config(store: Store) -> None:
    """Blobs of any kind, and such as are gone, among a container's needs are passed over."""
    folder = store.root / "containers" / "c"
    folder.mkdir(parents=True)
    blob = store.write_blob(b"{}")
    lines = (f"blobs/sha256/{blob[7:]}", "blobs/sha256/gone", "trees/x")
    (folder / "needs").write_text("".join(f"{line}\n" for line in lines))
    found = survey(store, (), containers=True, repair=False)
    assert (found.layers, found.faults) == ({}, [])
