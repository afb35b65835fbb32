"""`rootless.transfer.known_blobs`: what the store knows of where its layers are."""

import json
from pathlib import Path

import images

from rootless.image.load import load
from rootless.image.store import Store
from rootless.oci.digest import Digest, sha256_of
from rootless.transfer.known_blobs import by_diff_id, known_blobs, lenders
from rootless.transfer.made_layers import Made, MadeLayers

TAR = images.small_layer().tar()
DIFF_ID = Digest(images.digest(TAR))


def test_layers_are_known_by_images_and_by_pushes(store: Store, tmp_path: Path) -> None:
    """A blob has the repositories of one registry that had it, and no others."""
    layout = images.oci_layout(tmp_path / "pic", [TAR], tag="h.example/a/b:1")
    for name in ("", "h.example/c:1", "other.example/d:1"):
        load(store, str(layout), name=name)
    made = Made(sha256_of(b"made"), 4, "type", repositories=("h.example/e",))
    MadeLayers(store).remember(DIFF_ID, "k", made)
    manifest = json.loads((layout / "index.json").read_text())["manifests"][0]["digest"]
    blob = json.loads((layout / "blobs/sha256" / manifest[7:]).read_text())["layers"][0]["digest"]
    known = known_blobs(store)
    assert {each.digest for each in by_diff_id(known)[DIFF_ID]} == {blob, made.digest}
    assert set(lenders(known, "h.example", blob)) == {"a/b", "c"}
    assert lenders(known, "other.example", blob) == ("d",)
    assert lenders(known, "h.example", made.digest) == ("e",)
    assert lenders(known, "nobody.example", blob) == ()


def test_images_without_a_manifest_or_damaged_say_nothing(store: Store, tmp_path: Path) -> None:
    """They are no reason not to push another."""
    load(store, str(images.docker_archive(tmp_path / "a.tar", [TAR], names=["h.example/a:1"])))
    assert known_blobs(store) == ()
    layout = images.oci_layout(tmp_path / "pic", [TAR], tag="h.example/b:1")
    load(store, str(layout))
    assert len(known_blobs(store)) == 1
    manifest = json.loads((layout / "index.json").read_text())["manifests"][0]["digest"]
    store.blob_path(manifest).unlink()
    assert known_blobs(store) == ()
