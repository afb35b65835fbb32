"""`rootless.image.image_changes`: two images compared straight from their trees."""

from collections.abc import Sequence
from pathlib import Path

import images
import pytest

from rootless.errors import StoreError
from rootless.image import names, trees
from rootless.image.image_changes import image_changes
from rootless.image.load import load
from rootless.image.names import Located
from rootless.image.store import Store

BIG = bytes(range(256)) * 8192


def place(store: Store, tmp_path: Path, name: str, layers: Sequence[images.Layer]) -> Located:
    """Load an image and return where its files are."""
    load(store, str(images.oci_layout(tmp_path / name, layers)), name=name)
    return trees.place_of(store, names.resolve(store, name))


def base(**changed: bytes) -> images.LayerBuilder:
    """A layer of some files, with other contents on request."""
    layer = images.LayerBuilder().directory("etc").directory("opt").directory("opt/sub")
    contents = {"etc/same": b"same", "etc/big": BIG, "opt/sub/file": b"deep", **changed}
    for path, content in contents.items():
        layer.file(path, content)
    return layer.symlink("etc/link", "same")


def test_the_same_tree_of_other_layers(store: Store, tmp_path: Path) -> None:
    """Files of equal contents are the same, wherever they come from and whatever their time."""
    again = base().file("etc/same", b"same", mtime=1)
    one, two = place(store, tmp_path, "a", [base()]), place(store, tmp_path, "b", [again])
    assert list(image_changes(one, two)) == []
    assert list(image_changes(one, one)) == []


def test_each_kind(store: Store, tmp_path: Path) -> None:
    """Contents of the same size, modes, owners, targets, xattrs and kinds are told apart."""
    upper = (
        images.LayerBuilder()
        .file("etc/big", BIG[:-1] + b"?")
        .symlink("etc/link", "other")
        .file("etc/same", b"same", xattrs={"user.x": b"1"})
        .whiteout("opt/sub")
        .directory("opt/new")
        .file("opt/new/file", b"")
        .directory("root", mode=0o700)
    )
    one, two = place(store, tmp_path, "a", [base()]), place(store, tmp_path, "b", [base(), upper])
    assert list(image_changes(one, two)) == [
        (b"root", "A"),
        (b"etc/big", "C"),
        (b"etc/link", "C"),
        (b"etc/same", "C"),
        (b"opt/new", "A"),
        (b"opt/sub", "D"),
        (b"opt/new/file", "A"),
    ]
    assert (b"opt/sub", "A") in list(image_changes(two, one))
    assert (b"opt/sub/file", "A") in list(image_changes(two, one))


def test_a_folder_in_the_place_of_a_file(store: Store, tmp_path: Path) -> None:
    """The name has changed, and what is in the folder is new."""
    upper = images.LayerBuilder().directory("etc/same").file("etc/same/x", b"x")
    one, two = place(store, tmp_path, "a", [base()]), place(store, tmp_path, "b", [base(), upper])
    assert list(image_changes(one, two)) == [(b"etc/same", "C"), (b"etc/same/x", "A")]
    assert list(image_changes(two, one)) == [(b"etc/same", "C")]


def test_a_layer_that_is_gone(store: Store, tmp_path: Path) -> None:
    """What cannot be read is an error of the store's."""
    one = place(store, tmp_path, "a", [base()])
    two = place(store, tmp_path, "b", [base(**{"etc/big": BIG[::-1]})])
    two.layers[0].unlink()
    with pytest.raises(StoreError):
        list(image_changes(one, two))
