"""`rootless.image.transaction`: everything or nothing, and what a name leads to is complete."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import images
import loading
import pytest

from rootless.errors import Conflict, IntegrityError, NotFound, StoreError
from rootless.image import lock, names
from rootless.image.ingest import Expected, StagedLayer, ingest
from rootless.image.names import Entry
from rootless.image.store import Store
from rootless.image.transaction import Transaction
from rootless.oci.digest import Digest, chain_id, sha256_of

LOWER = images.LayerBuilder().directory("d").file("d/f", b"lower").tar()
UPPER = images.LayerBuilder().directory("d").file("d/f", b"upper").tar()
BOTH = [sha256_of(LOWER), sha256_of(UPPER)]
DOCUMENT = b'{"a": "document"}'
ENTRY = Entry("localhost/a:latest", sha256_of(DOCUMENT), len(DOCUMENT), sha256_of(DOCUMENT))


def staged(store: Store, tar: bytes) -> StagedLayer:
    """Return a layer, verified and without a name."""
    return ingest(store, BytesIO(tar), "layer", Expected(diff_id=sha256_of(tar)))


def fill(store: Store, transaction: Transaction) -> None:
    """Add an image: two layers, their tree and a document."""
    for tar in (LOWER, UPPER):
        transaction.add_layer(staged(store, tar))
    transaction.add_tree(BOTH)
    assert transaction.add_blob(DOCUMENT) == sha256_of(DOCUMENT)


@contextmanager
def blocked(path: Path) -> Iterator[None]:
    """Put a folder in the place of a file for a time."""
    path.mkdir()
    try:
        yield
    finally:
        path.rmdir()


def test_a_commit(store: Store) -> None:
    """All that was added is there under its name, and the image is named; no temp file is left."""
    with Transaction(store) as transaction:
        fill(store, transaction)
        assert loading.objects(store.root) == set(loading.temp_files(store.root))
        assert names.entries(store) == ()
        transaction.commit([ENTRY])
    assert loading.temp_files(store.root) == []
    assert names.entries(store) == (ENTRY,)
    assert store.blob_path(BOTH[0]).read_bytes() == LOWER
    assert all(store.has_layer(diff_id) for diff_id in BOTH)
    assert store.tree_path(chain_id(BOTH)).exists()
    assert store.read_blob(sha256_of(DOCUMENT), 100) == DOCUMENT


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt, SystemExit])
def test_an_error_leaves_the_store_as_it_was(error: type[BaseException], store: Store) -> None:
    """Whatever goes wrong before the commit, Ctrl-C too, nothing is kept and no lock held."""
    before = loading.listing(store.root)

    def fail() -> None:
        with Transaction(store) as transaction:
            transaction.lock_layers(BOTH)
            fill(store, transaction)
            raise error

    with pytest.raises(error):
        fail()
    after = loading.listing(store.root)
    after.pop("locks/store.lock")  # held together, it is left to a collection
    assert after == before
    with lock.exclusive_within(store.lock_path("store"), 0):
        pass


def test_no_commit_keeps_nothing(store: Store) -> None:
    """A block that ends without a commit is no commit."""
    with Transaction(store) as transaction:
        fill(store, transaction)
    assert loading.objects(store.root) == set()


def test_layers_come_before_what_leads_to_them(store: Store) -> None:
    """A commit that breaks off leaves whole layers, but no document and no name."""
    with Transaction(store) as transaction:
        fill(store, transaction)
        with (
            blocked(store.tree_path(chain_id(BOTH))),
            pytest.raises(StoreError, match="is a directory"),
        ):
            transaction.commit([ENTRY])
    assert all(store.has_layer(diff_id) for diff_id in BOTH)
    assert not store.blob_path(sha256_of(DOCUMENT)).exists()
    assert names.entries(store) == ()
    assert loading.temp_files(store.root) == []
    with Transaction(store) as transaction:  # the next one finds the layers, and completes it
        assert all(transaction.has_layer(diff_id) for diff_id in BOTH)
        transaction.add_tree(BOTH)
        transaction.add_blob(DOCUMENT)
        transaction.commit([ENTRY])
    assert names.entries(store) == (ENTRY,)


def test_the_name_comes_last(store: Store) -> None:
    """If the name cannot be given, all that it leads to is there, and the old names stand."""
    index = store.root / "index.json"
    content = index.read_bytes()
    index.unlink()
    with Transaction(store) as transaction:
        fill(store, transaction)
        with blocked(index), pytest.raises(StoreError, match=r"is a directory: .*index\.json"):
            transaction.commit([ENTRY])
    index.write_bytes(content)
    assert names.entries(store) == ()
    assert store.tree_path(chain_id(BOTH)).exists()
    assert store.read_blob(sha256_of(DOCUMENT), 100) == DOCUMENT
    assert loading.temp_files(store.root) == []


def test_what_is_on_its_way_is_locked(store: Store) -> None:
    """Every temp file is locked, so that no sweep takes it for a dead process's."""
    with Transaction(store) as transaction:
        fill(store, transaction)
        found = loading.temp_files(store.root)
        assert len(found) == 6
        for name in found:
            with (store.root / name).open("rb") as file, pytest.raises(BlockingIOError):
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_a_layer_that_is_there_is_dropped(store: Store) -> None:
    """A layer comes once, whether it is in the store or on its way; its files are not replaced."""
    with Transaction(store) as transaction:
        transaction.add_layer(staged(store, LOWER))
        again = staged(store, LOWER)
        transaction.add_layer(again)
        assert again.tar.fd == again.index.fd == -1
        assert len(loading.temp_files(store.root)) == 2
        transaction.commit([])
    before = loading.listing(store.root / "blobs")
    with Transaction(store) as transaction:
        transaction.add_layer(staged(store, LOWER))
        transaction.commit([])
    assert loading.listing(store.root / "blobs") == before


def test_documents_and_trees_come_once(store: Store) -> None:
    """What is in the store, or on its way, is not written again."""
    for _ in range(2):
        with Transaction(store) as transaction:
            for _ in range(2):
                fill(store, transaction)
            transaction.commit([])
    before = loading.listing(store.root)
    with Transaction(store) as transaction:
        fill(store, transaction)
        assert loading.temp_files(store.root) == []
        transaction.commit([])
    assert loading.objects(store.root) == {
        name for name in before if name.startswith(("blobs/sha256/", "layers/sha256/", "trees/"))
    }


def test_sizes_and_trees_by_now(store: Store) -> None:
    """A layer's size and a tree's place are told before the commit and after it."""
    with Transaction(store) as transaction:
        fill(store, transaction)
        assert transaction.layer_size(BOTH[0]) == len(LOWER)
        on_its_way = transaction.tree_path(BOTH)
        assert on_its_way.name.startswith(".tmp-")
        inode = on_its_way.stat().st_ino
        transaction.commit([])
    with Transaction(store) as transaction:
        assert transaction.layer_size(BOTH[0]) == len(LOWER)
        assert transaction.tree_path(BOTH) == store.tree_path(chain_id(BOTH))
        assert transaction.tree_path(BOTH).stat().st_ino == inode
        missing = Digest("sha256:" + "0" * 64)
        with pytest.raises(NotFound, match=r"layer missing from the store: .*/000000"):
            transaction.layer_size(missing)


def test_layers_that_do_not_fit_together(store: Store) -> None:
    """A tree that cannot be built is an error, and nothing of it is kept."""
    alone = images.LayerBuilder().hard_link("link", "nowhere").tar()
    with Transaction(store) as transaction:
        transaction.add_layer(staged(store, alone))
        with pytest.raises(IntegrityError, match="layers do not fit together"):
            transaction.add_tree([sha256_of(alone)])
    assert loading.objects(store.root) == set()


def test_a_collection_waits(store: Store) -> None:
    """While a transaction lives nobody gets the store alone; another transaction begins."""
    with (
        Transaction(store),
        Transaction(store),
        pytest.raises(Conflict, match="in use by another process"),
        lock.exclusive_within(store.lock_path("store"), 0),
    ):
        pytest.fail("the store is held")
    with lock.exclusive_within(store.lock_path("store"), 0):
        pass


def test_layers_are_locked_against_other_loads(store: Store) -> None:
    """Layers to come are locked, each once, until the end; those that are there are not."""
    with Transaction(store) as transaction:
        transaction.add_layer(staged(store, LOWER))
        transaction.commit([])
    with Transaction(store) as transaction:
        transaction.lock_layers([*BOTH, *BOTH])
        held = {name for name in os.listdir(store.root / "locks") if name.startswith("layer-")}
        assert held == {f"layer-{BOTH[1].partition(':')[2]}.lock"}
        with (
            pytest.raises(Conflict),
            lock.exclusive_within(store.root / "locks" / held.pop(), 0),
        ):
            pass
    assert os.listdir(store.root / "locks") in (["store.lock"], [])


@pytest.mark.needs_user
def test_a_read_only_store(store: Store) -> None:
    """A transaction does not begin where it could not end."""
    folders = [store.root / name for name in ("locks", "blobs/sha256", "")]
    for folder in folders:
        folder.chmod(0o500)
    try:
        with pytest.raises(StoreError, match="no permission"), Transaction(store):
            pytest.fail("it began")
    finally:
        for folder in reversed(folders):
            folder.chmod(0o700)


def test_one_image_after_another(store: Store) -> None:
    """A command that brings in several images commits each when it is there."""
    with Transaction(store) as transaction:
        fill(store, transaction)
        transaction.commit([ENTRY])
        assert transaction.add_blob(b"another") == sha256_of(b"another")
        assert transaction.has_layer(BOTH[0])
        transaction.commit([replace(ENTRY, reference="localhost/b:latest")])
    assert len(names.entries(store)) == 2
    assert loading.temp_files(store.root) == []


def test_a_layer_by_itself(store: Store) -> None:
    """A layer that is committed alone stays, whatever becomes of the rest; nothing is named."""

    def fail() -> None:
        with Transaction(store) as transaction:
            transaction.commit_layer(staged(store, LOWER))
            transaction.add_layer(staged(store, UPPER))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert loading.temp_files(store.root) == []
    assert [store.has_layer(diff_id) for diff_id in BOTH] == [True, False]
    assert names.entries(store) == ()
    with Transaction(store) as transaction:
        transaction.lock_layers(BOTH)
        assert transaction.layer_size(BOTH[0]) == len(LOWER)
