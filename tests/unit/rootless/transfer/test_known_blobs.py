"""`rootless.transfer.known_blobs`: what the store knows of where its layers are."""

from pathlib import Path

import images

from rootless.image.load import load
from rootless.image.store import Store
from rootless.oci.descriptor import Descriptor
from rootless.oci.digest import Digest, sha256_of
from rootless.transfer.known_blobs import by_diff_id, known_blobs, lenders
from rootless.transfer.made_layers import Made, MadeLayers

TAR = images.small_layer().tar()
DIFF_ID = Digest(images.digest(TAR))
CAME = Descriptor("type", sha256_of(b"came"), 4)


def test_layers_are_known_by_what_came_and_what_went(store: Store, tmp_path: Path) -> None:
    """A blob has the repositories of one registry that had it, and no others."""
    load(store, str(images.oci_layout(tmp_path / "pic", [TAR])))
    memory = MadeLayers(store)
    for name in ("h.example/a/b", "h.example/c", "other.example/d"):
        memory.remember_came(DIFF_ID, CAME, name)
    made = Made(sha256_of(b"made"), 4, "type", repositories=("h.example/e",))
    memory.remember(DIFF_ID, "isal-3", made)
    known = known_blobs(store)
    assert {each.digest for each in by_diff_id(known)[DIFF_ID]} == {CAME.digest, made.digest}
    assert set(lenders(known, "h.example", CAME.digest)) == {"a/b", "c"}
    assert lenders(known, "other.example", CAME.digest) == ("d",)
    assert lenders(known, "h.example", made.digest) == ("e",)
    assert lenders(known, "nobody.example", CAME.digest) == ()


def test_a_manifest_alone_says_nothing(store: Store, tmp_path: Path) -> None:
    """What an image claims of a layer that was there already was verified by nobody."""
    load(store, str(images.oci_layout(tmp_path / "pic", [TAR], tag="h.example/a:1")))
    assert known_blobs(store) == ()


def test_other_tars_are_not_the_layer(store: Store, tmp_path: Path) -> None:
    """EStargz puts a member more in: of use for eStargz alone."""
    load(store, str(images.oci_layout(tmp_path / "pic", [TAR])))
    made = Made(sha256_of(b"e"), 1, diff_id=sha256_of(b"other"), repositories=("h.example/a",))
    MadeLayers(store).remember(DIFF_ID, "estargz-6", made)
    assert known_blobs(store) == ()
