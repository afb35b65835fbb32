"""`rootless.image.usage`: every file once, and what would be free."""

import os
from pathlib import Path

import images
import pytest

from rootless.image import holds, names
from rootless.image.load import load
from rootless.image.store import Store
from rootless.image.tag import tag
from rootless.image.usage import Usage, size_of, store_usage
from rootless.oci.digest import hex_of, sha256_of

SHARED = images.LayerBuilder().file("shared", b"s" * 100_000)
ONE = images.LayerBuilder().file("one", b"1" * 50_000)
TWO = images.LayerBuilder().file("two", b"2")


@pytest.fixture
def loaded(store: Store, tmp_path: Path) -> Store:
    """A store with two images, `one` and `two`, that have a layer in common."""
    for name, layer in (("one", ONE), ("two", TWO)):
        load(store, str(images.oci_layout(tmp_path / name, [SHARED, layer], tag=name)))
    return store


def on_disk(store: Store) -> int:
    """Return the size of all objects."""
    folders = ("blobs/sha256", "layers/sha256", "trees")
    return sum(path.stat().st_size for f in folders for path in (store.root / f).iterdir())


def test_nothing(store: Store) -> None:
    """An empty store, and one that is not there."""
    for each in (store, Store(store.root / "none", store.scratch)):
        found = store_usage(each, set())
        assert found.images == found.downloads == found.leftovers == Usage()


def test_shared_layers_count_once(loaded: Store) -> None:
    """The sum is what lies on the disk; each image has its size, and its part of what is shared."""
    tag(loaded, "one", ["other"])
    found = store_usage(loaded, set())
    assert (found.images.total, found.images.active) == (2, 0)
    assert found.images.size == found.images.reclaimable == on_disk(loaded)
    one, two = found.each
    assert one.references == ("localhost/one:latest", "localhost/other:latest")
    diff_id = sha256_of(SHARED.tar())
    shared = size_of(loaded.blob_path(diff_id)) + size_of(loaded.index_path(diff_id))
    assert one.shared == two.shared == shared
    assert one.size + two.size - shared == on_disk(loaded)


def test_what_is_in_use(loaded: Store) -> None:
    """An image in use keeps what it shares; what a container holds is not reclaimable either."""
    one, two = (names.resolve(loaded, name) for name in ("one", "two"))
    found = store_usage(loaded, {one.config_digest})
    assert found.images.active == 1
    own = {path for path in holds.objects_of(loaded, two) if path.exists()}
    own -= set(holds.objects_of(loaded, one))
    assert found.images.reclaimable == sum(path.stat().st_size for path in own)
    folder = loaded.root / "containers" / "c"
    folder.mkdir(parents=True)
    (folder / "needs").write_text("".join(f"{line}\n" for line in holds.needs_of(loaded, two)))
    assert store_usage(loaded, {one.config_digest}).images.reclaimable == 0


def test_downloads_and_leftovers(loaded: Store) -> None:
    """What somebody is writing is in use; what nobody is, is free."""
    partial = loaded.root / "partial" / ("a" * 64)
    partial.write_bytes(b"x" * 1000)
    (loaded.root / "trees" / ".tmp-0123456789abcdef").write_bytes(b"x" * 100)
    names.drop(loaded, names.find(loaded, "two"))
    gone = [loaded.blob_path(sha256_of(TWO.tar())), loaded.index_path(sha256_of(TWO.tar()))]
    found = store_usage(loaded, set())
    assert found.downloads == Usage(1, 0, 1000, 1000)
    assert found.leftovers.total == len(gone) + 1 + 4  # three documents, a tree, a temporary file
    assert found.leftovers.size > sum(path.stat().st_size for path in gone)
    with loaded.temp_for(loaded.root / "trees" / "x") as temp:
        os.write(temp.fd, b"y" * 10)
        assert store_usage(loaded, set()).leftovers.active == 1


def test_a_damaged_image_counts_nothing(loaded: Store) -> None:
    """It is told by `store verify`, and no error here."""
    image = names.resolve(loaded, "two")
    loaded.blob_path(image.config_digest).unlink()
    assert store_usage(loaded, set()).images.total == 1
    assert hex_of(image.config_digest)


def test_a_folder_takes_its_blocks(tmp_path: Path) -> None:
    """Files with holes in them count as what they take."""
    folder = tmp_path / "lazy"
    folder.mkdir()
    with (folder / "data").open("wb") as file:
        file.truncate(1 << 30)
    assert size_of(folder) < 1 << 20
    assert size_of(tmp_path / "none") == 0
