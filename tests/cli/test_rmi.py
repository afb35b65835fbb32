"""`rootless rmi`, the real executable."""

import os
from pathlib import Path

import images
import loading
import pytest
from executable import Rootless

SHARED = images.small_layer()


@pytest.fixture
def loaded(rootless: Rootless, tmp_path: Path) -> Rootless:
    """A store with two images, `one` and `two`, that share a layer."""
    for name in ("one", "two"):
        layers = [SHARED, images.LayerBuilder().file(name)]
        rootless.ok("load", images.oci_layout(tmp_path / name, layers, tag=name))
    return rootless


def image_id(rootless: Rootless, name: str) -> str:
    """Return an image's ID."""
    return rootless.ok("inspect", "-f", ".Id", name).strip()


def test_removes_what_nobody_else_needs(loaded: Rootless) -> None:
    """An image goes with its layer, index and tree; what the other one needs stays."""
    two = image_id(loaded, "two")
    said = loaded.ok("rmi", "two")
    assert said.splitlines() == ["Untagged: localhost/two:latest", f"Deleted: sha256:{two}"]
    store = loaded.home.store
    left = loading.objects(store)
    assert f"blobs/sha256/{images.digest(SHARED.tar())[7:]}" in left
    # of image one: 2 manifests, config, 2 layers with an index each, tree
    assert len(left) == 8
    loaded.ok("inspect", "one")


def test_the_last_image_leaves_no_object(loaded: Rootless) -> None:
    """--all empties the store, and what is left of it is removed by rm -r."""
    loaded.ok("rmi", "--all")
    assert loading.objects(loaded.home.store) == set()
    assert loaded.ok("images", "-q") == ""


def test_a_name_of_several(loaded: Rootless) -> None:
    """A name is taken away; the image goes with its last one."""
    loaded.ok("tag", "one", "uno")
    assert loaded.ok("rmi", "one") == "Untagged: localhost/one:latest\n"
    assert "Deleted: " in loaded.ok("rmi", "uno")


def test_an_id_of_several_names(loaded: Rootless) -> None:
    """An ID removes the image, with --force where it has several names."""
    loaded.ok("tag", "one", "uno")
    one = image_id(loaded, "one")
    says = ("several names", "localhost/uno:latest", "--force")
    loading.refused(loaded, "rmi", one[:12], says=says)
    assert loaded.ok("rmi", "-f", one[:12]).count("Untagged") == 2


def test_nothing_is_removed_if_one_is_missing(loaded: Rootless) -> None:
    """One wrong name among several removes none; --force passes over it."""
    loading.refused(loaded, "rmi", "one", "nope", says=("no such image: nope",))
    assert "Untagged: localhost/one:latest" in loaded.ok("rmi", "-f", "one", "nope")


def test_what_to_remove(loaded: Rootless) -> None:
    """Neither names nor --all, or both, is refused."""
    loading.refused(loaded, "rmi", says=("give IMAGE..., or --all",))
    loading.refused(loaded, "rmi", "--all", "one", says=("give IMAGE..., or --all",))


def test_sweeps(loaded: Rootless) -> None:
    """Files that a killed command left go as well; one that somebody holds stays."""
    left = loaded.home.store / "blobs" / "sha256" / ".tmp-0123456789abcdef"
    left.write_bytes(b"x" * 1000)
    (loaded.home.store / "layers" / "sha256" / ".tmp-0123456789abcdef-journal").touch()
    loaded.ok("rmi", "one")
    assert loading.temp_files(loaded.home.store) == []


def test_a_damaged_image_can_be_removed(loaded: Rootless) -> None:
    """An image whose documents are gone or changed is removed by name, and the rest stays."""
    two = image_id(loaded, "two")
    os.unlink(loaded.home.store / "blobs" / "sha256" / two)
    assert loaded("images").status == 125
    assert "Untagged: localhost/two:latest" in loaded.ok("rmi", "two")
    loaded.ok("inspect", "one")
    one = image_id(loaded, "one")
    (loaded.home.store / "blobs" / "sha256" / one).write_bytes(b"{}")
    assert "Untagged: localhost/one:latest" in loaded.ok("rmi", "one")
    assert loading.objects(loaded.home.store) == set()
