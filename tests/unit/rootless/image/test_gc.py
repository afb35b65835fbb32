"""`rootless.image.gc`: what nobody needs goes, what a live process holds stays."""

import fcntl
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import images
import loading
import pytest

from rootless.errors import IntegrityError
from rootless.image import gc, lock, names
from rootless.image.load import load
from rootless.image.lock import STORE_LOCK
from rootless.image.store import TEMP_PREFIX, Store
from rootless.linux.folder_lock import make_locked
from rootless.oci.digest import sha256_of

SHARED = images.LayerBuilder().file("shared", b"in both images")
ONE = images.LayerBuilder().file("one", b"1")
TWO = images.LayerBuilder().file("two", b"2")

FOLDERS = pytest.mark.parametrize(
    "folder", [".", "blobs/sha256", "layers/sha256", "trees", "locks", "scratch"]
)

_WRITER = """
import sys
from pathlib import Path
from rootless.image.store import TempFile
print(TempFile(Path(sys.argv[1])).path.name, flush=True)
sys.stdin.read()
"""


@pytest.fixture
def loaded(store: Store, tmp_path: Path) -> Store:
    """A store with two images, `one` and `two`, that have a layer in common."""
    for name, layer in (("one", ONE), ("two", TWO)):
        load(store, str(images.oci_layout(tmp_path / name, [SHARED, layer], tag=name)))
    return store


def forget(store: Store, name: str) -> None:
    """Take an image's names away, without a collection."""
    names.drop(store, names.find(store, name))


@FOLDERS
def test_sweeps_what_a_killed_process_left(folder: str, store: Store) -> None:
    """A temporary file lives as long as its writer: by `kill -9` it becomes nobody's."""
    where = store.root / folder
    with subprocess.Popen(
        [sys.executable, "-c", _WRITER, where], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as writer:
        assert writer.stdout is not None
        name = writer.stdout.readline().decode().strip()
        journal = where / f"{name}-journal"
        journal.touch()
        assert gc.sweep(store) == 0
        assert (where / name).exists()
        assert journal.exists()
        writer.kill()
    assert gc.sweep(store) == 2
    assert loading.temp_files(store.root) == []


def test_sweeps_a_journal_alone(store: Store) -> None:
    """A journal whose database is gone goes as well."""
    (store.root / "trees" / ".tmp-0123456789abcdef-journal").touch()
    assert gc.sweep(store) == 1
    assert loading.temp_files(store.root) == []


def test_sweeps_lock_files(store: Store) -> None:
    """A lock file that a killed process left goes; one that is held stays, and the store's own."""
    free, held, own = (store.lock_path(name) for name in ("free", "held", STORE_LOCK))
    free.touch()
    own.touch()
    with lock.exclusive(held):
        assert gc.sweep(store) == 1
        assert held.exists()
    assert not free.exists()
    assert own.exists()


def test_sweeps_nothing_else(loaded: Store) -> None:
    """Objects, documents, foreign files and folders are not touched."""
    (loaded.root / "notes").write_text("mine")
    (loaded.root / "trees" / ".tmp-folder").mkdir()
    (loaded.root / "trees" / ".tmp-link").symlink_to(loaded.root / "index.json")
    before = loading.listing(loaded.root)
    assert gc.sweep(loaded) == 0
    assert loading.listing(loaded.root) == before


def test_sweeps_where_there_is_no_store(tmp_path: Path) -> None:
    """A store that does not exist has nothing to sweep, and is not made."""
    assert gc.sweep(Store(tmp_path / "none", tmp_path / "none" / "scratch")) == 0
    assert not (tmp_path / "none").exists()


def test_collects_nothing_that_is_needed(loaded: Store) -> None:
    """While every image has its names, nothing is freed."""
    before = loading.objects(loaded.root)
    assert gc.collect(loaded) == 0
    assert loading.objects(loaded.root) == before


def test_collects_trees_of_other_versions(loaded: Store) -> None:
    """A tree in a format that is read no more goes, though its image is needed."""
    trees = sorted((loaded.root / "trees").iterdir())
    old = trees[0].with_suffix("")
    older = trees[0].with_suffix(".v1")
    for each in (old, older):
        each.write_bytes(b"of another version")
    assert gc.collect(loaded) == 2 * len(b"of another version")
    assert sorted((loaded.root / "trees").iterdir()) == trees


def test_collects_what_no_image_needs(loaded: Store, tmp_path: Path) -> None:
    """With its last name an image's objects go, but what another image shares stays whole."""
    before = loading.objects(loaded.root)
    sizes = {name: (loaded.root / name).stat().st_size for name in before}
    forget(loaded, "one")
    freed = gc.collect(loaded)
    left = loading.objects(loaded.root)
    # config, both manifests, layer, index and tree
    assert len(before - left) == 6
    assert freed == sum(sizes[name] for name in before - left)
    image = names.resolve(loaded, "two")
    assert all(loaded.has_layer(diff_id) for diff_id in image.config.diff_ids)
    forget(loaded, "two")
    gc.collect(loaded)
    assert loading.objects(loaded.root) == set()


def test_an_unnamed_image_is_needed(loaded: Store) -> None:
    """An image that lost its name to another one keeps what it consists of."""
    (two,) = names.find(loaded, "two")
    names.add(loaded, [replace(two, reference="localhost/one:latest")])
    assert gc.collect(loaded) == 0


def test_leaves_what_is_being_written(loaded: Store) -> None:
    """A file under construction is no object yet."""
    with loaded.temp_for(loaded.blob_path(sha256_of(b"x"))) as temp:
        gc.collect(loaded)
        assert temp.path.exists()


def test_waits_for_loads_only_so_long(loaded: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beside a load nothing is taken away; what is due is done by the next who can."""
    monkeypatch.setattr(gc, "_PATIENCE_S", 0.01)
    before = loading.objects(loaded.root)
    forget(loaded, "one")
    with lock.shared(loaded.lock_path(STORE_LOCK)):
        assert gc.collect(loaded) == 0
        gc.collect_if_due(loaded)
        assert loading.objects(loaded.root) == before
    gc.collect_if_due(loaded)
    left = loading.objects(loaded.root)
    assert left < before
    forget(loaded, "two")
    gc.collect_if_due(loaded)
    assert loading.objects(loaded.root) == left, "it was not due any more"


def test_open_files_serve_on(loaded: Store) -> None:
    """A live container reads on out of a layer whose name is gone."""
    path = loaded.blob_path(sha256_of(ONE.tar()))
    with path.open("rb") as file:
        forget(loaded, "one")
        gc.collect(loaded)
        assert not path.exists()
        assert file.read() == ONE.tar()


def test_an_image_whose_documents_are_gone(loaded: Store) -> None:
    """It cannot be read, so it needs nothing; the other images' objects stay."""
    (entry,) = names.find(loaded, "one")
    loaded.blob_path(entry.config_digest).unlink()
    assert gc.collect(loaded) > 0
    assert all(loaded.has_layer(d) for d in names.resolve(loaded, "two").config.diff_ids)


def test_an_image_whose_documents_are_damaged(loaded: Store) -> None:
    """What cannot be understood stops the collection: what it needs is not known."""
    (entry,) = names.find(loaded, "one")
    loaded.blob_path(entry.manifest_digest).write_bytes(b"{}")
    before = loading.objects(loaded.root)
    forget(loaded, "two")
    with pytest.raises(IntegrityError, match="damaged blob in the store"):
        gc.collect(loaded)
    assert loading.objects(loaded.root) == before
    forget(loaded, "one")
    gc.collect(loaded)
    assert loading.objects(loaded.root) == set()


def test_a_vanished_file_is_no_error(store: Store) -> None:
    """Two sweeps at once take the same file; one of them finds nothing."""
    path = store.root / "trees" / ".tmp-0123456789abcdef"
    path.touch()
    fd = os.open(path, os.O_RDWR)
    try:
        assert lock.try_lock(fd)
        assert gc.sweep(store) == 0
        path.unlink()
        assert gc.sweep(store) == 0
    finally:
        os.close(fd)


def test_lazy_layers_that_nobody_needs_go(loaded: Store) -> None:
    """A folder stays while its image is there and its tar is not, or while somebody has it."""
    needed, held, complete = (loaded.lazy_folder(sha256_of(name)) for name in (b"1", b"2", b"3"))
    for folder in (needed, held, complete):
        folder.mkdir()
        (folder / "data").write_bytes(b"contents")
    own = names.resolve(loaded, "one").config.diff_ids[0]
    os.rename(complete, loaded.lazy_folder(own))
    lower = loaded.lazy_folder(own)
    lock_fd = os.open(held, os.O_RDONLY)
    fcntl.flock(lock_fd, fcntl.LOCK_SH)
    try:
        gc.collect(loaded)
        assert not needed.exists()
        assert not lower.exists()
        assert held.exists()
    finally:
        os.close(lock_fd)
    gc.collect(loaded)
    assert not held.exists()


def test_sweeps_a_lazy_layer_under_construction(store: Store) -> None:
    """A temporary folder goes once its maker has ended."""
    folder = store.root / "lazy" / "sha256" / f"{TEMP_PREFIX}{'0' * 16}"
    lock_fd = make_locked(folder)
    (folder / "data").write_bytes(b"contents")
    gc.sweep(store)
    assert folder.exists()
    os.close(lock_fd)
    gc.sweep(store)
    assert not folder.exists()


def test_trees_that_the_store_could_not_take(loaded: Store) -> None:
    """They lie beside what is live, and go unless a container there needs them."""
    assert loaded.runtime is not None
    folder = loaded.runtime / "trees"
    folder.mkdir(parents=True)
    for tree in (loaded.root / "trees").iterdir():
        (folder / tree.name).touch()
    needed = min(os.listdir(folder))
    run = loaded.runtime / "runs" / "x"
    run.parent.mkdir()
    lock_fd = make_locked(run)
    (run / "needs").write_text(f"trees/{needed}\n")
    gc.collect(loaded)
    assert os.listdir(folder) == [needed]
    os.close(lock_fd)
    gc.collect(loaded)
    assert os.listdir(folder) == []


def test_what_was_set_aside(loaded: Store) -> None:
    """A damaged layer stays until its image has it again, or has gone."""
    (loaded.root / "damaged").mkdir()
    diff_id = names.resolve(loaded, "two").config.diff_ids[1]
    aside = loaded.root / "damaged" / diff_id[7:]
    loaded.blob_path(diff_id).rename(aside)
    gc.collect(loaded)
    assert aside.exists()
    forget(loaded, "two")
    gc.collect(loaded)
    assert not aside.exists()


def test_no_store_yet(tmp_path: Path) -> None:
    """There is nothing to collect, and nothing is made."""
    assert gc.collect(Store(tmp_path / "none", tmp_path / "scratch")) == 0
    assert not (tmp_path / "none").exists()


def test_takes_nothing_that_is_not_named_for_a_digest(loaded: Store) -> None:
    """Where others' things lie beside the store's, as with ROOTLESS_HOME=~, they stay."""
    strange = [
        *(loaded.root / "trees" / name for name in ("oak", "a" * 63, "a" * 65)),
        *(loaded.root / "blobs/sha256" / name for name in ("notes.txt", "A" * 64)),
        *(loaded.root / "partial" / name for name in ("thesis", "b" * 63)),
    ]
    for path in strange:
        path.write_text("mine")
        os.utime(path, (0, 0))
    gone = loaded.root / "trees" / ("a" * 64 + ".v1")
    gone.touch()
    gc.collect(loaded)
    assert all(path.read_text() == "mine" for path in strange)
    assert not gone.exists()
