"""`rootless.image.foreign`: what is made of an image in a file, and kept."""

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import squashfs_images as images

from rootless.image import foreign, lock, trees
from rootless.image.foreign import read_image
from rootless.image.holds import needs_of
from rootless.image.names import Image
from rootless.image.store import Store

MONTH = 31 * 86400


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    """A store that the environment names, not made yet."""
    monkeypatch.setenv("ROOTLESS_HOME", str(tmp_path / "store"))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    yield Store(tmp_path / "store", tmp_path / "scratch")
    (tmp_path / "store").chmod(0o755)


@pytest.fixture
def image(tmp_path: Path) -> Path:
    """A small image."""
    (tmp_path / "root").mkdir()
    (tmp_path / "root" / "file").write_text("contents\n")
    return images.squash(tmp_path / "root", tmp_path / "image.sqfs", pseudo=())


def read(store: Store, path: Path) -> Image:
    """Read an image."""
    fd = os.open(path, os.O_RDONLY)
    try:
        return read_image(store, fd, str(path))
    finally:
        os.close(fd)


def test_made_once(store: Store, image: Path) -> None:
    """The second time everything is there; a touched file is another one."""
    first = read(store, image)
    assert first.place is not None
    made = first.place.tree.stat()
    assert read(store, image) == first
    assert first.place.tree.stat() == made
    assert trees.read_file(store, first, b"file") == b"contents\n"
    assert needs_of(store, first) == tuple(
        f"foreign/{path.name}" for path in (first.place.tree, *first.place.layers)
    )
    os.utime(image)
    assert read(store, image).config.diff_ids != first.config.diff_ids


def test_by_another_name(store: Store, image: Path, tmp_path: Path) -> None:
    """A link to the file is the file."""
    (tmp_path / "link").symlink_to(image)
    assert read(store, tmp_path / "link") == read(store, image)


def test_read_only_store(store: Store, image: Path, tmp_path: Path) -> None:
    """The run-time folder takes what the store cannot; nothing of the store is needed."""
    store.root.mkdir()
    store.root.chmod(0o555)
    found = read(store, image)
    assert found.place is not None
    assert found.place.tree.is_relative_to(tmp_path / "rootless" / "foreign")
    assert needs_of(store, found) == ()
    assert read(store, image) == found


def test_unused_for_a_month(store: Store, image: Path, tmp_path: Path) -> None:
    """What nobody used goes when the next one is made; what was used is noted."""
    old = read(store, image).place
    assert old is not None
    long_ago = time.time() - MONTH
    for path in old.needs:
        os.utime(path, (long_ago, long_ago))
    read(store, image)
    assert old.tree.stat().st_mtime > long_ago + MONTH / 2
    for path in old.needs:
        os.utime(path, (long_ago, long_ago))
    (tmp_path / "other").mkdir()
    read(store, images.squash(tmp_path / "other", tmp_path / "other.sqfs", pseudo=()))
    assert [path.exists() for path in old.needs] == [False, False]


def test_sweep(store: Store, image: Path) -> None:
    """All that is not held goes when it is asked for, but what somebody is making just now."""
    place = read(store, image).place
    assert place is not None
    size = sum(path.stat().st_size for path in place.needs)
    unfinished = place.tree.with_name(".tmp-1")
    unfinished.touch()
    assert foreign.sweep(store) == 0
    key = place.tree.name.partition(".")[0]
    with lock.exclusive(store.lock_path(f"foreign-{key}")):
        assert foreign.sweep(store, older_than_s=0) == 0
    assert foreign.sweep(store, older_than_s=0) == size
    assert list(place.tree.parent.iterdir()) == [unfinished]
    assert read(store, image).place == place
