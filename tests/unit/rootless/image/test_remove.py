"""`rootless.image.remove`: names, then what no name leads to; all that was asked, or nothing."""

from pathlib import Path

import images
import loading
import pytest

from rootless.errors import Conflict, InvalidInput, NotFound
from rootless.image import names
from rootless.image.load import load
from rootless.image.remove import Removed, remove, remove_all
from rootless.image.store import Store
from rootless.image.transaction import Transaction
from rootless.oci.digest import Digest, hex_of

SHARED = images.LayerBuilder().file("shared", b"x" * 5000)
OWN = images.LayerBuilder().file("own", b"y")


@pytest.fixture
def ids(store: Store, tmp_path: Path) -> dict[str, Digest]:
    """Two images with a layer in common: `a`, also called `b`, and `c`; IDs by name."""
    lone = images.oci_layout(tmp_path / "lone", [SHARED])
    both = images.oci_layout(tmp_path / "both", [SHARED, OWN])
    for name, folder in (("a", lone), ("b", lone), ("c", both)):
        load(store, str(folder), name=name)
    return {name: names.resolve(store, name).config_digest for name in "abc"}


def names_of(store: Store) -> list[str]:
    """Return the names that are left."""
    return [entry.reference for entry in names.entries(store)]


def test_a_name_of_several(store: Store, ids: dict[str, Digest]) -> None:
    """A name goes and its image stays, with the other one."""
    before = loading.objects(store.root)
    assert remove(store, ["a"]) == Removed(("localhost/a:latest",), (), 0)
    assert names_of(store) == ["localhost/b:latest", "localhost/c:latest"]
    assert loading.objects(store.root) == before


def test_the_last_name(store: Store, ids: dict[str, Digest]) -> None:
    """With its last name an image goes; a layer that another needs stays. What is freed is told."""
    sizes = {path: (store.root / path).stat().st_size for path in loading.objects(store.root)}
    removed = remove(store, ["c"])
    gone = set(sizes) - loading.objects(store.root)
    assert removed == Removed(
        ("localhost/c:latest",), (ids["c"],), sum(sizes[path] for path in gone)
    )
    assert f"blobs/sha256/{hex_of(ids['c'])}" in gone
    image = names.resolve(store, "a")
    assert all(store.has_layer(diff_id) for diff_id in image.config.diff_ids)


def test_all_names_at_once(store: Store, ids: dict[str, Digest]) -> None:
    """Both names of an image and one twice: it is told once, and gone."""
    removed = remove(store, ["a", "b", "a"])
    assert removed.untagged == ("localhost/a:latest", "localhost/b:latest")
    assert removed.deleted == (ids["a"],)
    assert removed.freed > 0
    assert names_of(store) == ["localhost/c:latest"]


def test_an_id_with_several_names(store: Store, ids: dict[str, Digest]) -> None:
    """An ID with several names is refused with the names; *force* takes them all."""
    wanted = hex_of(ids["a"])[:12]
    before = loading.listing(store.root)
    with pytest.raises(Conflict) as caught:
        remove(store, [wanted])
    assert str(caught.value) == (
        f"image has several names: {wanted} "
        "(localhost/a:latest, localhost/b:latest; --force removes them all)"
    )
    assert loading.listing(store.root) == before
    removed = remove(store, [wanted], force=True)
    assert removed.untagged == ("localhost/a:latest", "localhost/b:latest")
    assert removed.deleted == (ids["a"],)


def test_an_id_with_one_name(store: Store, ids: dict[str, Digest]) -> None:
    """An ID with one name takes both."""
    removed = remove(store, [ids["c"]])
    assert (removed.untagged, removed.deleted) == (("localhost/c:latest",), (ids["c"],))


def test_an_image_without_a_name(store: Store, ids: dict[str, Digest], tmp_path: Path) -> None:
    """An image that lost its name goes by its ID; there is no name to tell."""
    other = images.oci_layout(tmp_path / "other", [OWN])
    load(store, str(other), name="c")
    removed = remove(store, [ids["c"]])
    assert (removed.untagged, removed.deleted) == ((), (ids["c"],))
    assert names_of(store) == ["localhost/a:latest", "localhost/b:latest", "localhost/c:latest"]


@pytest.mark.parametrize("bad", ["none", "UPPER", "../../etc"])
def test_nothing_if_one_cannot_be(bad: str, store: Store, ids: dict[str, Digest]) -> None:
    """One name that is not there, or is none, keeps all of them."""
    before = loading.listing(store.root)
    with pytest.raises((NotFound, InvalidInput), match=bad):
        remove(store, ["a", "c", bad])
    assert loading.listing(store.root) == before


def test_force_ignores_what_is_not_there(store: Store, ids: dict[str, Digest]) -> None:
    """With *force* a missing name is no error; one that cannot be a name still is."""
    assert remove(store, ["none", "a"], force=True).untagged == ("localhost/a:latest",)
    assert remove(store, ["none"], force=True) == Removed((), (), 0)
    with pytest.raises(InvalidInput):
        remove(store, ["UPPER"], force=True)


def test_all(store: Store, ids: dict[str, Digest]) -> None:
    """After all images are removed no object is left; another time is no error."""
    removed = remove_all(store)
    assert removed.untagged == tuple(f"localhost/{name}:latest" for name in "abc")
    assert removed.deleted == (ids["a"], ids["c"])
    assert loading.objects(store.root) == set()
    assert remove_all(store) == Removed((), (), 0)


def test_while_a_load_is_at_work(
    store: Store, ids: dict[str, Digest], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Names go at once, objects once the load has ended, with the next removal."""
    monkeypatch.setattr("rootless.image.gc._PATIENCE_S", 0)
    with Transaction(store):
        assert remove(store, ["c"]) == Removed(("localhost/c:latest",), (ids["c"],), 0)
        assert store.blob_path(ids["c"]).exists()
    assert remove_all(store).freed > 0
    assert loading.objects(store.root) == set()


@pytest.mark.parametrize("document", ["manifest", "config"])
def test_a_damaged_image_can_be_removed(
    document: str, store: Store, ids: dict[str, Digest]
) -> None:
    """An image whose documents are gone or damaged goes as any other."""
    image = names.resolve(store, "c")
    digest = image.manifest_digest if document == "manifest" else image.config_digest
    store.blob_path(digest).write_text("damaged")
    assert remove(store, ["c"]).deleted == (ids["c"],)
    assert names_of(store) == ["localhost/a:latest", "localhost/b:latest"]
    assert not store.blob_path(digest).exists()
