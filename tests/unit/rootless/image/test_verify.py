"""`rootless.image.verify`: whatever is damaged is found, and what can be put right is."""

import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path

import images
import loading
import pytest
import trees as built

from rootless.errors import Conflict, NotFound, RootlessError, StoreError
from rootless.image import gc, lock, names
from rootless.image.fault import DOCUMENT, INDEX, LAYER, TREE
from rootless.image.load import load
from rootless.image.lock import STORE_LOCK
from rootless.image.names import Entry
from rootless.image.store import Store
from rootless.image.verify import Report, VerifyOptions, verify
from rootless.oci.digest import chain_id, hex_of, sha256_of

SHARED = images.LayerBuilder().file("shared", b"in both images")
ONE = images.small_layer()
TWO = images.LayerBuilder().file("two", b"2")
NAMES = ("localhost/one:latest", "localhost/two:latest")

REPAIR = VerifyOptions(repair=True)


@pytest.fixture
def loaded(store: Store, tmp_path: Path) -> Store:
    """A store with two images, `one` and `two`, that have a layer in common."""
    for name, layer in (("one", ONE), ("two", TWO)):
        load(store, str(images.oci_layout(tmp_path / name, [SHARED, layer], tag=name)))
    return store


def overwrite(path: Path) -> None:
    """Change bytes in the middle of a file, which keeps its size."""
    data = path.read_bytes()
    middle = len(data) // 2
    path.write_bytes(data[:middle] + bytes(b ^ 0xFF for b in data[middle:]))


def kinds(report: Report) -> list[tuple[str, tuple[str, ...], bool]]:
    """Return of each fault its kind, who needs the object, and whether it was put right."""
    return [(fault.kind, fault.images, fault.repaired) for fault in report.faults]


@pytest.mark.parametrize("options", [VerifyOptions(), VerifyOptions(quick=True)])
def test_a_whole_store(options: VerifyOptions, loaded: Store) -> None:
    """Nothing is wrong, everything was looked at, nothing was written."""
    before = loading.listing(loaded.root)
    report = verify(loaded, (), options)
    assert report.faults == []
    assert (report.documents, report.layers, report.trees) == (6, 3, 2)
    assert loading.listing(loaded.root) == before


def test_an_empty_store(store: Store) -> None:
    """There is nothing to find; also where no store was made yet."""
    assert verify(store, (), VerifyOptions()) == Report()
    none = Store(store.root / "none", store.scratch)
    assert verify(none, (), VerifyOptions()) == Report()
    assert not none.root.exists()


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (overwrite, "damaged: its content is sha256:"),
        (lambda path: os.truncate(path, 512), "damaged: its content is sha256:"),
        (lambda path: path.write_bytes(b""), "damaged: its content is sha256:"),
        (Path.unlink, "missing"),
    ],
    ids=["bytes", "cut", "empty", "gone"],
)
def test_a_damaged_layer(damage: Callable[[Path], object], says: str, loaded: Store) -> None:
    """It is found, with all who need it; it cannot be made again, and makes room for another."""
    diff_id = sha256_of(SHARED.tar())
    path = loaded.blob_path(diff_id)
    damage(path)
    was_there = path.exists()
    report = verify(loaded, (), VerifyOptions())
    assert kinds(report) == [(LAYER, NAMES, False)]
    assert report.faults[0].digest == diff_id
    assert report.faults[0].what.startswith(says)
    report = verify(loaded, (), REPAIR)
    assert kinds(report) == [(LAYER, NAMES, False)]
    assert not path.exists()
    aside = loaded.root / "damaged" / hex_of(diff_id)
    assert aside.exists() == was_there
    gc.collect(loaded)
    assert aside.exists() == was_there  # it may be all that there is


def test_a_layer_comes_again(loaded: Store, tmp_path: Path) -> None:
    """A load after the repair brings the layer, and what was set aside goes."""
    overwrite(loaded.blob_path(sha256_of(SHARED.tar())))
    verify(loaded, (), REPAIR)
    load(loaded, str(tmp_path / "one"))
    assert verify(loaded, (), VerifyOptions()).faults == []
    gc.collect(loaded)
    assert list((loaded.root / "damaged").iterdir()) == []


@pytest.mark.parametrize("damage", [overwrite, Path.unlink], ids=["bytes", "gone"])
def test_a_damaged_index(damage: Callable[[Path], object], loaded: Store) -> None:
    """It is made again from the tar, the same as before."""
    path = loaded.index_path(sha256_of(SHARED.tar()))
    before = path.read_bytes()
    damage(path)
    assert kinds(verify(loaded, (), VerifyOptions())) == [(INDEX, NAMES, False)]
    report = verify(loaded, (), REPAIR)
    assert kinds(report) == [(INDEX, NAMES, True)]
    assert report.left == []
    assert path.read_bytes() == before
    assert verify(loaded, (), VerifyOptions()).faults == []


def test_a_damaged_tree(loaded: Store) -> None:
    """It is made again from the indexes; one that is not there is made when it is needed."""
    path = loaded.tree_path(chain_id([sha256_of(SHARED.tar()), sha256_of(ONE.tar())]))
    before = built.listing(path)
    overwrite(path)
    assert kinds(verify(loaded, (), VerifyOptions())) == [(TREE, NAMES[:1], False)]
    assert kinds(verify(loaded, (), REPAIR)) == [(TREE, NAMES[:1], True)]
    assert built.listing(path) == before
    path.unlink()
    assert verify(loaded, (), VerifyOptions()).faults == []


def test_an_index_and_its_trees(loaded: Store) -> None:
    """Trees are compared with indexes that were put right before, so both are repaired at once."""
    overwrite(loaded.index_path(sha256_of(ONE.tar())))
    overwrite(loaded.tree_path(chain_id([sha256_of(SHARED.tar()), sha256_of(ONE.tar())])))
    assert kinds(verify(loaded, (), VerifyOptions())) == [(INDEX, NAMES[:1], False)]
    assert kinds(verify(loaded, (), REPAIR)) == [
        (INDEX, NAMES[:1], True),
        (TREE, NAMES[:1], True),
    ]
    assert verify(loaded, (), VerifyOptions()).faults == []


@pytest.mark.parametrize("damage", [overwrite, Path.unlink], ids=["bytes", "gone"])
@pytest.mark.parametrize("which", ["config_digest", "manifest_digest", "source_digest"])
def test_a_damaged_document(which: str, damage: Callable[[Path], object], loaded: Store) -> None:
    """Each is found; the manifest that the store wrote itself is written again."""
    digest = getattr(names.resolve(loaded, "one"), which)
    path = loaded.blob_path(digest)
    before = path.read_bytes()
    damage(path)
    assert kinds(verify(loaded, (), VerifyOptions())) == [(DOCUMENT, NAMES[:1], False)]
    repaired = which == "manifest_digest"
    assert kinds(verify(loaded, (), REPAIR)) == [(DOCUMENT, NAMES[:1], repaired)]
    assert (path.exists() and path.read_bytes() == before) == repaired


def test_documents_that_do_not_fit(loaded: Store) -> None:
    """A manifest whose layers are not those of its config is told."""
    one, two = (names.find(loaded, name)[0] for name in ("one", "two"))
    mixed = Entry("localhost/x:latest", one.manifest_digest, one.manifest_size, two.config_digest)
    names.add(loaded, [mixed])
    report = verify(loaded, ["x"], VerifyOptions())
    assert [fault.what for fault in report.faults] == ["does not fit its config"]


def test_a_document_that_is_none(loaded: Store) -> None:
    """A blob with the right digest that is no config is told, and no error."""
    data = json.dumps({"rootfs": 1}).encode()
    one = names.find(loaded, "one")[0]
    digest = loaded.write_blob(data)
    names.add(loaded, [Entry("localhost/x:1", one.manifest_digest, one.manifest_size, digest)])
    (fault,) = verify(loaded, ["x:1"], VerifyOptions()).faults
    assert fault.what.startswith("damaged: ")
    assert fault.digest == digest


def test_some_images(loaded: Store) -> None:
    """What is wrong with another image is not told; one that is not there is an error."""
    overwrite(loaded.index_path(sha256_of(ONE.tar())))
    assert verify(loaded, ["two"], VerifyOptions()).faults == []
    assert len(verify(loaded, ["one", "two"], VerifyOptions()).faults) == 1
    with pytest.raises(NotFound, match="no such image"):
        verify(loaded, ["three"], VerifyOptions())


def test_layers_that_nobody_needs(loaded: Store) -> None:
    """A layer that a killed load has left is checked: the next load would take it as it is."""
    names.drop(loaded, names.find(loaded, "two"))
    overwrite(loaded.blob_path(sha256_of(TWO.tar())))
    assert kinds(verify(loaded, (), VerifyOptions())) == [(LAYER, (), False)]


def test_what_containers_need(loaded: Store) -> None:
    """An image whose name has gone is checked as long as a container was made from it."""
    image = names.resolve(loaded, "two")
    folder = loaded.root / "containers" / ("c" * 64)
    folder.mkdir(parents=True)
    (folder / "needs").write_text(f"blobs/sha256/{hex_of(image.config_digest)}\n")
    names.drop(loaded, names.find(loaded, "two"))
    overwrite(loaded.tree_path(chain_id(image.config.diff_ids)))
    report = verify(loaded, (), REPAIR)
    assert kinds(report) == [(TREE, ("container cccccccccccc",), True)]


@pytest.mark.parametrize(
    ("path", "damage", "found"),
    [
        ("blob_path", overwrite, []),  # its size is right
        ("blob_path", lambda path: os.truncate(path, 512), [LAYER]),
        ("index_path", lambda path: path.write_bytes(b"x" * 5000), [INDEX]),
        ("index_path", Path.unlink, [INDEX]),
    ],
)
def test_quick(
    path: str, damage: Callable[[Path], object], found: Sequence[str], loaded: Store
) -> None:
    """Sizes and headers only are looked at."""
    damage(getattr(loaded, path)(sha256_of(SHARED.tar())))
    report = verify(loaded, (), VerifyOptions(quick=True))
    assert [fault.kind for fault in report.faults] == found


def test_fetched_again(loaded: Store, tmp_path: Path) -> None:
    """What cannot be made is fetched, once for all, and looked at once more."""
    asked: list[list[str]] = []

    def fetch(entries: Sequence[Entry]) -> None:
        asked.append([entry.reference for entry in entries])
        for entry in entries:
            load(loaded, str(tmp_path / entry.reference[len("localhost/") :].partition(":")[0]))

    overwrite(loaded.blob_path(sha256_of(SHARED.tar())))
    overwrite(loaded.blob_path(names.find(loaded, "two")[0].config_digest))
    overwrite(loaded.index_path(sha256_of(ONE.tar())))
    report = verify(loaded, (), VerifyOptions(repair=True, fetch=fetch))
    assert report.left == []
    assert {fault.kind for fault in report.faults} == {DOCUMENT, LAYER, INDEX}
    assert asked == [list(NAMES)]
    assert verify(loaded, (), VerifyOptions()).faults == []
    assert list((loaded.root / "damaged").iterdir()) == []


def test_not_fetched(loaded: Store) -> None:
    """When that fails, the fault stays, with the reason; what needs no fetching is put right."""

    def fetch(_: Sequence[Entry]) -> None:
        raise RootlessError("no way to the registry", "example.org")

    overwrite(loaded.blob_path(sha256_of(TWO.tar())))
    overwrite(loaded.index_path(sha256_of(ONE.tar())))
    report = verify(loaded, (), VerifyOptions(repair=True, fetch=fetch))
    (left,) = report.left
    assert (left.kind, left.images) == (LAYER, NAMES[1:])
    assert "no way to the registry: example.org" in left.fix
    aside = loaded.root / "damaged" / hex_of(sha256_of(TWO.tar()))
    assert f"set aside as {aside}: " in left.fix
    assert left.what.startswith("damaged: ")


def test_nothing_is_fetched_for_what_can_be_made(loaded: Store) -> None:
    """A damaged index asks nobody."""
    overwrite(loaded.index_path(sha256_of(ONE.tar())))

    def fetch(_: Sequence[Entry]) -> None:
        pytest.fail("was asked")

    assert verify(loaded, (), VerifyOptions(repair=True, fetch=fetch)).left == []


def test_no_collection_meanwhile(loaded: Store) -> None:
    """It reads together with loads; a collection that is at work is waited for."""
    path = loaded.lock_path(STORE_LOCK)
    with lock.shared(path):
        assert verify(loaded, (), VerifyOptions()).faults == []

    def fetch(_: Sequence[Entry]) -> None:
        with lock.exclusive_within(path, 0):  # not held any more: a fetch is a load
            pass

    loaded.blob_path(sha256_of(TWO.tar())).unlink()
    verify(loaded, (), VerifyOptions(repair=True, fetch=fetch))

    class Watched:
        def layer(self, _name: str, _total: int | None) -> None:
            with pytest.raises(Conflict), lock.exclusive_within(path, 0):
                pytest.fail("a collection began")

        def advance(self, n: int) -> None:
            pass

    verify(loaded, (), VerifyOptions(), Watched())


@pytest.mark.needs_user
def test_a_read_only_store(loaded: Store) -> None:
    """It is checked without a lock; a repair says that it cannot be."""
    overwrite(loaded.index_path(sha256_of(ONE.tar())))
    folders = [path for path in (loaded.root, *loaded.root.rglob("*")) if path.is_dir()]
    (loaded.root / "locks" / "store.lock").unlink()
    for folder in folders:
        folder.chmod(0o500)
    try:
        assert kinds(verify(loaded, (), VerifyOptions())) == [(INDEX, NAMES[:1], False)]
        with pytest.raises(StoreError, match="no permission"):
            verify(loaded, (), REPAIR)
    finally:
        for folder in folders:
            folder.chmod(0o700)


def test_what_lies_elsewhere(loaded: Store, tmp_path: Path) -> None:
    """Layers in an additional store are not this store's to check."""
    own = Store(tmp_path / "own", tmp_path / "scratch", None, (loaded,))
    own.make()
    load(own, str(tmp_path / "one"))
    overwrite(loaded.blob_path(sha256_of(SHARED.tar())))
    assert verify(own, (), VerifyOptions()).faults == []
    loaded.blob_path(sha256_of(SHARED.tar())).unlink()
    assert kinds(verify(own, (), VerifyOptions())) == [(LAYER, NAMES[:1], False)]
