"""`rootless.image.store`: what lies where, and files that appear whole or not at all."""

import fcntl
import os
import resource
import stat
from pathlib import Path

import loading
import pytest

from fuse import entry
from rootless.errors import IntegrityError, NotFound, StoreError
from rootless.image.store import TREE_VERSION, Store, TempFile, write_all
from rootless.oci.descriptor import MANIFEST, Descriptor
from rootless.oci.digest import hex_of, sha256_of
from rootless.oci.image_index import ImageIndex
from rootless.paths import Paths

DIGEST = sha256_of(b"content")
HEX = hex_of(DIGEST)


def paths_in(tmp_path: Path) -> Paths:
    """Return folders that are not there yet."""
    root = tmp_path / "home" / "store"
    return Paths(store=root, runtime=tmp_path / "run", scratch=root / "scratch")


def is_locked(path: Path) -> bool:
    """Tell whether somebody holds a lock on a file."""
    fd = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(fd)
    return False


def test_a_new_store(tmp_path: Path) -> None:
    """A store is an OCI layout of the user alone, with its version; what is there stays."""
    store = Store.open(paths_in(tmp_path), create=True)
    assert (store.root / "version").read_text() == "1\n"
    assert (store.root / "oci-layout").read_bytes() == b'{"imageLayoutVersion":"1.0.0"}'
    assert store.read_index() == ImageIndex(())
    folders = [store.root, *(path for path in store.root.rglob("*") if path.is_dir())]
    names = {str(path.relative_to(store.root)) for path in folders}
    assert names >= {"blobs/sha256", "layers/sha256", "trees", "locks", "scratch"}
    assert {stat.S_IMODE(path.stat().st_mode) for path in folders} == {0o700}
    before = loading.listing(store.root)
    assert Store.open(paths_in(tmp_path), create=True) == store
    assert loading.listing(store.root) == before


def test_no_store_is_an_empty_one(tmp_path: Path) -> None:
    """Without *create* nothing is made, and there are no images."""
    store = Store.open(paths_in(tmp_path), create=False)
    assert store.read_index() == ImageIndex(())
    assert not store.has_layer(DIGEST)
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_maker_left(tmp_path: Path) -> None:
    """A store that was made in part is completed."""
    paths = paths_in(tmp_path)
    (paths.store / "blobs").mkdir(parents=True)
    (paths.store / "index.json").write_bytes(ImageIndex(()).to_bytes())
    store = Store.open(paths, create=True)
    assert (store.root / "oci-layout").exists()
    assert (store.root / "version").exists()
    assert store.write_blob(b"content") == DIGEST


@pytest.mark.parametrize("name", ["Documents", "trees.old", "storage"])
def test_a_folder_with_other_things(name: str, tmp_path: Path) -> None:
    """No store is made among the user's own files (ROOTLESS_HOME=~): what is not needed goes."""
    paths = Paths(tmp_path, tmp_path / "run", tmp_path / "scratch")
    (tmp_path / ".cache").mkdir()
    (tmp_path / name).mkdir()
    with pytest.raises(StoreError, match=f"something else in it .{name}.*new folder"):
        Store.open(paths, create=True)
    assert sorted(os.listdir(tmp_path)) == [".cache", name]
    (tmp_path / name).rmdir()
    Store.open(paths, create=True)
    (tmp_path / name).mkdir()  # what somebody puts into a store is his to put
    Store.open(paths, create=True)


@pytest.mark.parametrize("create", [True, False])
@pytest.mark.parametrize(
    "version", ["2\n", "2", "999999999", "1" * 5000], ids=["line", "bare", "large", "huge"]
)
def test_a_newer_format(version: str, create: bool, tmp_path: Path) -> None:  # noqa: FBT001
    """A newer version's store is not touched, and the error says the way out."""
    paths = paths_in(tmp_path)
    paths.store.mkdir(parents=True)
    (paths.store / "version").write_text(version)
    with pytest.raises(StoreError) as caught:
        Store.open(paths, create=create)
    number = version.strip()[:9]
    assert str(caught.value) == (
        f"store of a newer format ({number}): {paths.store} "
        "(update rootless, or set ROOTLESS_HOME to another folder)"
    )
    assert os.listdir(paths.store) == ["version"]


@pytest.mark.parametrize(
    "content", [b"", b"one\n", b"-1", b"1.5", b"\xb2", "²".encode(), b"\0"], ids=repr
)
def test_a_version_that_is_none(content: bytes, tmp_path: Path) -> None:
    """A folder whose `version` is somebody else's is refused, and not filled with a store."""
    paths = paths_in(tmp_path)
    paths.store.mkdir(parents=True)
    (paths.store / "version").write_bytes(content)
    with pytest.raises(StoreError) as caught:
        Store.open(paths, create=True)
    what = f"not a store of rootless: {paths.store} ({paths.store}/version is not a number)"
    assert str(caught.value) == what
    assert os.listdir(paths.store) == ["version"]


def test_a_file_in_the_place_of_the_store(tmp_path: Path) -> None:
    """What is in the way is named."""
    (tmp_path / "home").write_text("")
    for create in (True, False):
        with pytest.raises(StoreError) as caught:
            Store.open(paths_in(tmp_path), create=create)
        assert caught.value.what == "not a directory"
        assert caught.value.on.startswith(str(tmp_path / "home"))


@pytest.mark.needs_user
def test_a_read_only_store(store: Store) -> None:
    """What cannot be written can be read; a write says why it fails, and leaves nothing."""
    store.write_blob(b"content")
    folders = [store.root, *(path for path in store.root.rglob("*") if path.is_dir())]
    for folder in folders:
        folder.chmod(0o500)
    try:
        paths = Paths(store=store.root, runtime=store.root, scratch=store.scratch)
        for create in (True, False):  # a whole store is not made again
            assert Store.open(paths, create=create).read_blob(DIGEST, 7) == b"content"
        assert store.write_blob(b"content") == DIGEST
        for write in (
            lambda: store.write_blob(b"new"),
            lambda: store.write_index(ImageIndex(())),
            lambda: store.temp_for(store.tree_path(DIGEST)),
        ):
            with pytest.raises(StoreError) as caught:
                write()
            assert caught.value.what == "no permission"
            assert caught.value.fix == "set ROOTLESS_HOME to a folder of your own"
    finally:
        for folder in folders:
            folder.chmod(0o700)
    assert loading.temp_files(store.root) == []


def test_where_objects_lie(store: Store) -> None:
    """Every object is named by its digest."""
    assert store.blob_path(DIGEST) == store.root / "blobs/sha256" / HEX
    assert store.index_path(DIGEST) == store.root / "layers/sha256" / f"{HEX}.index"
    assert store.tree_path(DIGEST) == store.root / "trees" / f"{HEX}.v{TREE_VERSION}"
    assert store.lock_path("index") == store.root / "locks" / "index.lock"


def test_the_trees_version_is_the_file_systems() -> None:
    """A tree is named after the format that the file system reads, no other."""
    assert TREE_VERSION == entry.TREE_VERSION


def test_blobs(store: Store) -> None:
    """A blob is written once, and read back up to its size."""
    assert store.write_blob(b"content") == DIGEST
    path = store.blob_path(DIGEST)
    before = loading.listing(store.root)
    assert store.write_blob(b"content") == DIGEST
    assert loading.listing(store.root) == before
    assert store.read_blob(DIGEST, 7) == b"content"
    assert stat.S_IMODE(path.stat().st_mode) == 0o644


@pytest.mark.parametrize("damage", [b"", b"contenT", b"content, and more"])
def test_a_damaged_blob(damage: bytes, store: Store) -> None:
    """A blob that is not what its name says is refused by its path."""
    store.write_blob(b"content")
    store.blob_path(DIGEST).write_bytes(damage)
    with pytest.raises(IntegrityError) as caught:
        store.read_blob(DIGEST, 1000)
    path = store.blob_path(DIGEST)
    assert str(caught.value) == f"damaged blob in the store: {path} (load the image again)"


def test_a_blob_over_its_limit(store: Store) -> None:
    """No more than the limit is read: what is larger is not the document that was kept."""
    store.write_blob(b"content")
    with pytest.raises(IntegrityError, match="damaged blob"):
        store.read_blob(DIGEST, 6)


def test_a_missing_blob(store: Store) -> None:
    """What is missing is told from what cannot be read."""
    with pytest.raises(NotFound) as caught:
        store.read_blob(DIGEST, 7)
    assert str(caught.value) == f"blob missing from the store: {DIGEST} (load the image again)"
    store.blob_path(DIGEST).mkdir()
    with pytest.raises(StoreError, match=f"is a directory: .*{HEX}"):
        store.read_blob(DIGEST, 7)


def test_a_layer_has_two_files(store: Store) -> None:
    """A tar without its index is no layer, nor is an index without its tar."""
    store.blob_path(DIGEST).touch()
    assert not store.has_layer(DIGEST)
    store.index_path(DIGEST).touch()
    assert store.has_layer(DIGEST)
    store.blob_path(DIGEST).unlink()
    assert not store.has_layer(DIGEST)


def test_the_index(store: Store) -> None:
    """index.json reads back as it was written, and is replaced as a whole."""
    old = store.root / "index.json"
    with old.open("rb") as reader:
        index = ImageIndex((Descriptor(MANIFEST, DIGEST, 7, {"a": "b"}),))
        store.write_index(index)
        assert store.read_index() == index
        assert b'"manifests":[]' in reader.read()  # who had it open reads the old one to its end


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b'{"manifests": [{"digest": "../../x", "size": 1}]}']
)
def test_a_damaged_index(content: bytes, store: Store) -> None:
    """A damaged index.json is named by its path; it is not taken for an empty one."""
    path = store.root / "index.json"
    path.write_bytes(content)
    with pytest.raises(StoreError) as caught:
        store.read_index()
    assert caught.value.what == "damaged index of the store"
    assert caught.value.on.startswith(f"{path}: ")
    assert path.read_bytes() == content


def test_an_index_that_cannot_be_read(store: Store) -> None:
    """Nor is one that the kernel does not give."""
    path = store.root / "index.json"
    path.unlink()
    path.mkdir()
    with pytest.raises(StoreError) as caught:
        store.read_index()
    assert str(caught.value) == f"is a directory: {path}"


def test_a_temp_file_is_locked_while_it_lives(store: Store) -> None:
    """A file under construction can be told from a dead process's by its lock; then it is gone."""
    with store.temp_for(store.tree_path(DIGEST)) as temp:
        assert temp.path.parent == store.root / "trees"
        assert temp.path.name.startswith(".tmp-")
        assert stat.S_IMODE(temp.path.stat().st_mode) == 0o600
        assert is_locked(temp.path)
    assert temp.fd == -1
    assert not temp.path.exists()
    temp.close()


def test_a_temp_file_that_is_kept(store: Store) -> None:
    """Kept, it has its name and replaces what had it; a close does no harm."""
    path = store.tree_path(DIGEST)
    path.write_text("old")
    with store.temp_for(path) as temp:
        write_all(temp.fd, b"new")
        assert path.read_text() == "old"
        temp.keep(path)
        assert path.read_text() == "new"
        assert temp.fd == -1
    assert path.read_text() == "new"
    assert not is_locked(path)
    assert loading.temp_files(store.root) == []


def test_a_temp_file_that_cannot_be_kept(store: Store) -> None:
    """A name that is taken by a folder is in the error, and nothing is left."""
    path = store.tree_path(DIGEST)
    path.mkdir()
    with pytest.raises(StoreError) as caught, store.temp_for(path) as temp:
        temp.keep(path)
    assert str(caught.value) == f"is a directory: {path}"
    assert loading.temp_files(store.root) == []


def test_a_write_that_fails(store: Store) -> None:
    """A write that breaks off in the middle leaves the old content and no temp file."""
    path = store.root / "index.json"
    before = path.read_bytes()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))
    try:
        with pytest.raises(StoreError) as caught:
            store.write(path, bytes(10_000))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert caught.value.what == "file too large for the file system or for `ulimit -f`"
    assert caught.value.on == str(path)
    assert path.read_bytes() == before
    assert loading.temp_files(store.root) == []


def test_a_sweep_between_open_and_lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A temp file that a sweep removed before it was locked is made anew, under another name."""
    removed: list[Path] = []

    def late(fd: int, operation: int) -> None:
        if not removed:
            removed.append(next(tmp_path.iterdir()))
            removed[0].unlink()
        locked(fd, operation)

    locked = fcntl.flock
    monkeypatch.setattr("rootless.image.store.fcntl.flock", late)
    with TempFile(tmp_path) as temp:
        assert list(tmp_path.iterdir()) == [temp.path]
        assert temp.path != removed[0]


def test_write_all_goes_on_after_short_writes(monkeypatch: pytest.MonkeyPatch) -> None:
    """What write(2) leaves is written next: it stops at 2 GiB, and at signals."""
    write = os.write
    monkeypatch.setattr(os, "write", lambda fd, data: write(fd, data[:3]))
    reader, writer = os.pipe()
    try:
        write_all(writer, b"0123456789")
        assert os.read(reader, 100) == b"0123456789"
    finally:
        os.close(reader)
        os.close(writer)


@pytest.mark.parametrize("create", [True, False])
def test_a_list_of_images_that_is_gone(tmp_path: Path, *, create: bool) -> None:
    """A store without it is not an empty one: whatever opens it says so, and makes none."""
    paths = paths_in(tmp_path)
    store = Store.open(paths, create=True)
    (store.root / "index.json").unlink()
    with pytest.raises(StoreError, match="list of images is missing"):
        Store.open(paths, create=create)
    assert not (store.root / "index.json").exists()
    (store.root / "version").unlink()
    assert Store.open(paths, create=True).read_index() == ImageIndex(())
