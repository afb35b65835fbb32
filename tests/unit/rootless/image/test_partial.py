"""`rootless.image.partial`: what is downloaded stays, and is followed while it comes."""

import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from rootless.errors import StoreError
from rootless.image import partial
from rootless.image.partial import AbandonedError, Partial
from rootless.image.store import Store
from rootless.oci.digest import sha256_of

BLOB = bytes(range(256)) * 4096
DIGEST = sha256_of(BLOB)


def begin(store: Store, size: int = len(BLOB)) -> Partial:
    """Open the download, which nobody else has."""
    opened = Partial.open(store, DIGEST, size)
    assert opened is not None
    return opened


@pytest.fixture
def download(store: Store) -> Iterator[Partial]:
    """A download that has just begun."""
    with begin(store) as opened:
        yield opened


def test_what_came_stays(store: Store) -> None:
    """A download that was cut short goes on behind its last byte."""
    with begin(store) as first:
        first.append(BLOB[:1000])
        first.append(BLOB[1000:5000])
    assert partial.size_so_far(store, DIGEST) == 5000
    with begin(store) as second:
        assert second.size == 5000
        second.append(BLOB[5000:])
        second.end()
        assert second.follow().read() == BLOB
        second.remove()
    assert os.listdir(store.root / "partial") == []
    assert partial.size_so_far(store, DIGEST) == 0


def test_nothing_came(store: Store) -> None:
    """A download that had no byte leaves no file, and takes nobody else's away."""
    begin(store).close()
    assert not store.partial_path(DIGEST).exists()
    with begin(store, size=0) as first:
        first.remove()
        with begin(store) as second:
            second.append(b"x")
            first.close()
            assert store.partial_path(DIGEST).read_bytes() == b"x"


def test_more_than_the_blob_has(store: Store) -> None:
    """A file that cannot be the blob's beginning, by its size, is begun anew."""
    store.partial_path(DIGEST).write_bytes(BLOB + b"x")
    with begin(store) as opened:
        assert opened.size == 0
    store.partial_path(DIGEST).write_bytes(BLOB)
    with begin(store) as opened:
        assert opened.size == len(BLOB)


def test_one_writes(store: Store, download: Partial) -> None:
    """Who comes second is told so, until the first lets go."""
    download.append(b"x")
    assert Partial.open(store, DIGEST, len(BLOB)) is None
    download.close()
    begin(store).close()


def test_a_link_in_its_place(store: Store, tmp_path: Path) -> None:
    """A symbolic link is not written through."""
    (tmp_path / "target").write_bytes(b"mine")
    store.partial_path(DIGEST).symlink_to(tmp_path / "target")
    with pytest.raises(StoreError):
        begin(store)
    assert (tmp_path / "target").read_bytes() == b"mine"


def test_the_follower_waits(download: Partial) -> None:
    """A follower reads what is there, waits for what is not, and ends where the blob ends."""
    read: list[bytes] = []
    stream = download.follow()

    def follow() -> None:
        while chunk := stream.read(7000):
            read.append(chunk)

    thread = threading.Thread(target=follow)
    thread.start()
    for start in range(0, len(BLOB), 100_000):
        download.append(BLOB[start : start + 100_000])
        time.sleep(0.001)
    assert thread.is_alive()
    download.end()
    thread.join(10)
    assert b"".join(read) == BLOB


def test_the_follower_is_left(download: Partial) -> None:
    """A follower that waits for what never comes ends with an error."""
    errors: list[BaseException] = []
    download.append(b"begin")
    stream = download.follow()
    assert stream.read(5) == b"begin"

    def follow() -> None:
        try:
            stream.read(1)
        except AbandonedError as error:
            errors.append(error)

    thread = threading.Thread(target=follow)
    thread.start()
    download.abandon()
    thread.join(10)
    assert len(errors) == 1


def test_begin_anew(download: Partial) -> None:
    """After damage the same file is filled from its first byte, and followed again."""
    download.append(b"damaged")
    download.abandon()
    download.clear()
    download.append(b"good")
    download.end()
    assert (download.size, download.follow().read()) == (4, b"good")


def test_sweep(store: Store) -> None:
    """Old downloads go, unless somebody has them open; young ones stay."""
    old, young, open_one = (store.partial_path(sha256_of(name)) for name in (b"o", b"y", b"b"))
    for path in (old, young, open_one):
        path.write_bytes(b"12345")
    for path in (old, open_one):
        os.utime(path, (1, 1))
    with Partial.open(store, sha256_of(b"b"), 10) or pytest.fail("busy"):
        assert partial.sweep(store) == 5
    assert {path.name for path in (store.root / "partial").iterdir()} == {young.name, open_one.name}
    assert partial.sweep(store, older_than_s=-10) == 10


def test_sweep_without_a_folder(store: Store) -> None:
    """A store of before downloads has nothing to sweep."""
    (store.root / "partial").rmdir()
    assert partial.sweep(store) == 0
