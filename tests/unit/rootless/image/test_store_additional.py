"""Additional stores: what is in them is found, one's own comes first, nothing is written there."""

from pathlib import Path

import images
import loading
import pytest

from rootless.errors import Conflict, NotFound, StoreError
from rootless.image import names, remove, trees
from rootless.image.load import load
from rootless.image.store import Store
from rootless.image.tag import tag
from rootless.oci.digest import chain_id, sha256_of
from rootless.paths import Paths

LAYER = images.LayerBuilder().file("etc/passwd", b"root:x:0:0::/:/bin/sh\n")


@pytest.fixture
def shared(store: Store, tmp_path: Path) -> Store:
    """A store with the image `a`."""
    load(store, str(images.oci_layout(tmp_path / "layout", [LAYER], tag="a")))
    return store


def beside(shared: Store, tmp_path: Path, name: str = "own") -> Store:
    """Return a store of one's own beside the shared one."""
    root = tmp_path / name
    paths = Paths(root, tmp_path / "live", root / "scratch", (), (shared.root,))
    return Store.open(paths, create=True)


def test_images_are_found(shared: Store, tmp_path: Path) -> None:
    """Names, IDs, documents, layers, trees and files of an image in another store are found."""
    before = loading.listing(shared.root)
    own = beside(shared, tmp_path)
    image = names.resolve(own, "a")
    assert names.resolve(own, image.config_digest) == image
    assert own.has_layer(image.config.diff_ids[0])
    tree = shared.tree_path(chain_id(image.config.diff_ids))
    assert trees.ensure_tree(own, image.config) == tree
    (layer,) = trees.layer_paths(own, image.config)
    assert layer.parent == shared.root / "blobs" / "sha256"
    assert trees.read_file(own, image, b"etc/passwd") == b"root:x:0:0::/:/bin/sh\n"
    assert names.entries(own) == ()
    assert loading.listing(shared.root) == before


def test_own_comes_first(shared: Store, tmp_path: Path) -> None:
    """Of two images of one name one's own is meant; another name still means the other's."""
    tag(shared, "a", ["other"])
    own = beside(shared, tmp_path)
    mine = images.LayerBuilder().file("mine")
    load(own, str(images.oci_layout(tmp_path / "mine", [mine], tag="a")))
    assert names.resolve(own, "a").config.diff_ids == (sha256_of(mine.tar()),)
    assert names.resolve(own, "other").config.diff_ids == (sha256_of(LAYER.tar()),)


def test_a_name_beats_the_beginning_of_an_id(shared: Store, tmp_path: Path) -> None:
    """What begins an ID of one's own and is a name elsewhere is the name."""
    own = beside(shared, tmp_path)
    mine = images.LayerBuilder().file("mine")
    load(own, str(images.oci_layout(tmp_path / "mine", [mine], tag="mine")))
    begin = names.resolve(own, "mine").config_digest.partition(":")[2][:4]
    tag(shared, "a", [begin])
    assert names.resolve(own, begin).config.diff_ids == (sha256_of(LAYER.tar()),)


def test_a_load_takes_no_layer_that_is_there(shared: Store, tmp_path: Path) -> None:
    """Loaded, an image of the other store costs its documents; it works from both."""
    own = beside(shared, tmp_path)
    load(own, str(tmp_path / "layout"))
    assert list((own.root / "layers" / "sha256").iterdir()) == []
    assert list((own.root / "trees").iterdir()) == []
    image = names.resolve(own, "a")
    assert trees.layer_paths(own, image.config)[0].exists()


def test_tag_and_remove(shared: Store, tmp_path: Path) -> None:
    """A name in one's own store brings the documents along; what is elsewhere is not removed."""
    before = loading.listing(shared.root)
    own = beside(shared, tmp_path)
    tag(own, "a", ["mine"])
    assert [entry.reference for entry in names.entries(own)] == ["localhost/mine:latest"]
    assert len(list((own.root / "blobs" / "sha256").iterdir())) == 3
    with pytest.raises(Conflict, match="the image is in an additional store: a"):
        remove.remove(own, ["a"])
    with pytest.raises(NotFound, match="no such image: b"):
        remove.remove(own, ["b"])
    remove.remove(own, ["mine"])
    assert list((own.root / "blobs" / "sha256").iterdir()) == []
    assert loading.listing(shared.root) == before


def test_a_missing_tree_is_built_in_the_own_store(shared: Store, tmp_path: Path) -> None:
    """The other store has layers and no tree: one is made here, even where no store was yet."""
    image = names.resolve(shared, "a")
    name = shared.tree_path(chain_id(image.config.diff_ids))
    name.unlink()
    root = tmp_path / "new"
    paths = Paths(root, tmp_path / "live", root / "scratch", (), (shared.root,))
    own = Store.open(paths, create=False)
    assert trees.ensure_tree(own, image.config) == root / "trees" / name.name
    assert not name.exists()


def test_a_missing_tree_where_nothing_can_be_written(shared: Store, tmp_path: Path) -> None:
    """A store that takes nothing leaves the run-time folder; without that it is an error."""
    image = names.resolve(shared, "a")
    name = shared.tree_path(chain_id(image.config.diff_ids))
    name.unlink()
    (tmp_path / "file").touch()
    live = tmp_path / "live"
    own = Store(tmp_path / "file" / "store", tmp_path, live, (shared,))
    built = trees.ensure_tree(own, image.config)
    assert built == live / "trees" / name.name
    assert trees.ensure_tree(own, image.config) == built
    assert live.stat().st_mode & 0o777 == 0o700
    assert loading.temp_files(live) == []
    with pytest.raises(StoreError):
        trees.ensure_tree(Store(own.root, own.scratch, None, (shared,)), image.config)


def test_a_layer_that_is_nowhere(shared: Store, tmp_path: Path) -> None:
    """When the other store has lost a layer, the line says where it was looked for."""
    own = beside(shared, tmp_path)
    image = names.resolve(own, "a")
    shared.blob_path(image.config.diff_ids[0]).unlink()
    with pytest.raises(NotFound, match=f"layer missing from the store.*nor is it in {shared.root}"):
        trees.layer_paths(own, image.config)


@pytest.mark.parametrize("what", ["nothing", "an empty folder", "a newer version"])
def test_a_store_that_is_no_use(
    what: str, shared: Store, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """It is left out with a line, and the others serve: a mount may be away for a while."""
    away = tmp_path / "away"
    if what != "nothing":
        away.mkdir()
    if what == "a newer version":
        (away / "version").write_text("99")
    root = tmp_path / "own"
    paths = Paths(root, tmp_path / "live", root / "scratch", (), (away, shared.root))
    own = Store.open(paths, create=False)
    assert [other.root for other in own.others] == [shared.root]
    assert str(away) in caplog.text


def test_a_damaged_list_is_left_out(
    shared: Store, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """One that its owner has to mend keeps nobody from his own images."""
    own = beside(shared, tmp_path)
    load(own, str(tmp_path / "layout"))
    (shared.root / "index.json").write_text("{")
    assert names.resolve(own, "a").reference == "localhost/a:latest"
    assert "additional store left out" in caplog.text
