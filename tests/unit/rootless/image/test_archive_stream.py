"""`rootless.image.archive_stream`: an archive that goes by once, in any order, of any content."""

import io
import os
import random
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import images
import loading
import pytest

from rootless.errors import IntegrityError
from rootless.image import archive_stream, pipeline
from rootless.image.archive_stream import ArchiveStream
from rootless.image.byte_stream import ByteStream, Source
from rootless.image.ingest import Expected
from rootless.image.progress import Silent
from rootless.image.store import Store
from rootless.oci.digest import Digest, hex_of, sha256_of

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

BIG = images.LayerBuilder().file("big", random.Random(1).randbytes(1 << 20)).tar()
OTHER = images.LayerBuilder().file("other", random.Random(2).randbytes(1 << 20)).tar()
SMALL = images.LayerBuilder().file("small", b"content").tar()
NAME = hex_of(sha256_of(BIG))

Opened = Callable[..., ArchiveStream]


@pytest.fixture
def opened(store: Store) -> Iterator[Opened]:
    """Read an archive to its end, with nothing known of the store's layers; closed afterwards."""
    sources: list[ArchiveStream] = []

    def read(
        archive: bytes | images.LayerBuilder | ByteStream,
        known: Callable[[Digest], Digest | None] = lambda _: None,
    ) -> ArchiveStream:
        source = ArchiveStream(store, "archive", known)
        sources.append(source)
        if isinstance(archive, images.LayerBuilder):
            archive = archive.tar()
        source.read(io.BytesIO(archive) if isinstance(archive, bytes) else archive, Silent())
        return source

    yield read
    for source in sources:
        source.close()
    assert loading.temp_files(store.root) == []


def diff_id(source: ArchiveStream, name: str, expected: Expected | None = None) -> Digest:
    """Ask for a layer that must be there; return what it is."""
    layer = source.layer(name, expected or Expected(), Silent())
    assert layer is not None
    layer.close()
    return layer.diff_id


def test_documents_and_layers_in_any_order(opened: Opened) -> None:
    """Layers small and large, documents before and after them: each is found by its name."""
    archive = images.LayerBuilder().file("big.tar", BIG).file("manifest.json", b"[]")
    archive.file("small.tar", SMALL).file("./config.json", b"{}").file("empty")
    source = opened(archive)
    assert source.what == "archive"
    assert source.document("manifest.json", 10) == b"[]"
    assert source.document("config.json", 10) == b"{}"
    assert source.document("empty", 10) == b""
    assert diff_id(source, "small.tar") == sha256_of(SMALL)
    assert diff_id(source, "big.tar") == sha256_of(BIG)


def test_what_is_not_there(opened: Opened) -> None:
    """A name that no member has is None, as a document and as a layer."""
    source = opened(images.LayerBuilder().file("a", b"{}"))
    assert source.document("b", 10) is None
    assert source.layer("b", Expected(), Silent()) is None


def test_links_lead_to_members(opened: Opened) -> None:
    """A layer may be called through a link, as docker saves one that several images have."""
    archive = images.LayerBuilder().symlink("a/layer.tar", "../b/layer.tar")
    archive.file("b/layer.tar", BIG).hard_link("c.tar", "b/layer.tar")
    source = opened(archive)
    assert diff_id(source, "a/layer.tar") == sha256_of(BIG)
    assert source.layer("missing.tar", Expected(), Silent()) is None


def test_layers_that_nobody_asks_for(opened: Opened, store: Store) -> None:
    """They are under construction until the archive is closed, and then gone."""
    source = opened(images.LayerBuilder().file("big.tar", BIG))
    assert len(loading.temp_files(store.root)) == 2
    source.close()
    assert loading.temp_files(store.root) == []


def test_a_document_that_is_too_large(opened: Opened) -> None:
    """A document beyond the limit, or one that was taken for a layer, is refused by its name."""
    source = opened(images.LayerBuilder().file("a.json", b"{" * 11).file("b.json", BIG))
    for name, size in (("a.json", 11), ("b.json", len(BIG))):
        with pytest.raises(IntegrityError) as caught:
            source.document(name, 10)
        assert str(caught.value) == f"document is too large: {name} ({size} bytes, at most 10)"
    with pytest.raises(IntegrityError, match="document is too large"):
        source.document("b.json", len(BIG) + 1)


def test_too_many_documents(opened: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is kept in memory is bounded; beyond that the archive is no honest one."""
    monkeypatch.setattr(archive_stream, "_MAX_KEPT", 1000)
    archive = images.LayerBuilder()
    for number in range(5):
        archive.file(f"{number}.json", b"{" + bytes(250))
    with pytest.raises(IntegrityError) as caught:
        opened(archive)
    assert str(caught.value) == "archive holds too many documents: archive"


def test_small_layers_fill_no_memory(
    opened: Opened, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beyond a sum even small layers are ingested as they pass."""
    monkeypatch.setattr(archive_stream, "_MAX_SMALL", len(SMALL))
    archive = images.LayerBuilder()
    for number in range(3):
        archive.file(f"{number}.tar", SMALL)
    source = opened(archive)
    assert len(loading.temp_files(store.root)) == 2
    assert {diff_id(source, f"{number}.tar") for number in range(3)} == {sha256_of(SMALL)}


def test_a_layer_that_is_not_as_expected(opened: Opened) -> None:
    """A layer that went by is held against what the manifest says, once that is known."""
    source = opened(images.LayerBuilder().file("big.tar", BIG))
    with pytest.raises(IntegrityError, match=r"wrong diff ID: big\.tar"):
        source.layer("big.tar", Expected(diff_id=sha256_of(SMALL)), Silent())


def test_a_layer_that_is_two(opened: Opened) -> None:
    """A member that a manifest gives two diff IDs is refused the second time."""
    source = opened(images.LayerBuilder().file("big.tar", BIG))
    assert diff_id(source, "big.tar", Expected(diff_id=sha256_of(BIG))) == sha256_of(BIG)
    with pytest.raises(IntegrityError) as caught:
        source.layer("big.tar", Expected(diff_id=sha256_of(SMALL)), Silent())
    assert str(caught.value) == f"wrong diff ID: big.tar (it is {sha256_of(BIG)})"


def test_a_blob_that_is_not_its_name(opened: Opened) -> None:
    """A blob of an OCI layout must have the digest that it is called; a docker layer need not."""
    archive = images.LayerBuilder().file(f"blobs/sha256/{NAME}", OTHER).file(f"{NAME}.tar", OTHER)
    source = opened(archive)
    with pytest.raises(IntegrityError) as caught:
        source.layer(f"blobs/sha256/{NAME}", Expected(), Silent())
    assert caught.value.what == "wrong digest"
    assert diff_id(source, f"{NAME}.tar") == sha256_of(OTHER)


def test_what_is_no_layer_harms_only_who_asks(opened: Opened) -> None:
    """A large member that is no tar is no fault of the archive until a manifest names it."""
    archive = images.LayerBuilder().file("notes", b"no tar" * 200_000).file("big.tar", BIG)
    source = opened(archive)
    assert diff_id(source, "big.tar") == sha256_of(BIG)
    with pytest.raises(IntegrityError, match="not a valid layer: notes"):
        source.layer("notes", Expected(), Silent())


def test_a_layer_of_the_store_is_not_read_again(opened: Opened, store: Store) -> None:
    """What the store has under that digest is passed over; another diff ID for it is refused."""
    known = {sha256_of(BIG): sha256_of(SMALL)}
    source = opened(images.LayerBuilder().file(f"blobs/sha256/{NAME}", BIG), known.get)
    assert loading.temp_files(store.root) == []
    with pytest.raises(IntegrityError, match=f"wrong diff ID: .*{sha256_of(SMALL)}"):
        source.layer(f"blobs/sha256/{NAME}", Expected(diff_id=sha256_of(BIG)), Silent())


CONTENTS = {"small": SMALL, "big": BIG, "other": OTHER, "no layer": b"no tar" * 200_000}


@pytest.mark.parametrize("first", CONTENTS)
@pytest.mark.parametrize("second", ["small", "big", "other"])
def test_the_last_of_a_name_counts(first: str, second: str, opened: Opened) -> None:
    """Of two members of a name the later one is meant, as tar extracts it."""
    archive = images.LayerBuilder().file("a.tar", CONTENTS[first]).file("a.tar", CONTENTS[second])
    assert diff_id(opened(archive), "a.tar") == sha256_of(CONTENTS[second])


@pytest.mark.parametrize("keep", [100, 512, 600, 512 + len(BIG) // 2])
def test_an_archive_that_breaks_off(keep: int, opened: Opened) -> None:
    """An archive that ends within a header or a member is refused as a whole."""
    archive = images.LayerBuilder().file("big.tar", BIG).tar()
    with pytest.raises(IntegrityError) as caught:
        opened(archive[:keep])
    assert "ends early" in str(caught.value)
    assert "archive" in caught.value.on


def test_reads_to_the_end_of_the_stream(opened: Opened) -> None:
    """What follows the archive's end is read, so that its writer does not fail."""
    stream = io.BytesIO(images.LayerBuilder().file("a", b"{}").tar() + bytes(3 << 20))
    opened(stream)
    assert stream.read() == b""


class Watched(Source):
    """A pipe that tells when somebody waits for what comes after its first bytes."""

    def __init__(self, fd: int, first: int) -> None:
        super().__init__()
        self._fd = fd
        self._first = first
        self.is_waited_for = threading.Event()

    def readinto(self, buffer: "WriteableBuffer") -> int:
        """Read on, and count."""
        if self._first <= 0:
            self.is_waited_for.set()
        n = os.readv(self._fd, [buffer])
        self._first -= n
        return n


def test_a_reader_that_was_left_behind(
    opened: Opened, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A thread that still waits for a slow pipe takes nothing of the members that follow."""
    monkeypatch.setattr(pipeline, "_JOIN_S", 0.02)
    damaged = images.LayerBuilder().file("f", bytes(1 << 20)).tar(end=b"x" * 612)
    archive = images.LayerBuilder().file("damaged", damaged).file("a.json", b"{}").tar()
    first = 512 + len(damaged) - 100  # the damage is seen; the reader waits for the last bytes
    source, writer = os.pipe()
    stream = Watched(source, first)

    def feed() -> None:
        rest = memoryview(archive)[:first]
        while rest:
            rest = rest[os.write(writer, rest) :]
        stream.is_waited_for.wait(10)
        deadline = time.monotonic() + 10
        while loading.temp_files(store.root) and time.monotonic() < deadline:
            time.sleep(0.002)
        os.write(writer, archive[first:])
        os.close(writer)

    feeder = threading.Thread(target=feed)
    feeder.start()
    try:
        assert opened(stream).document("a.json", 10) == b"{}"
    finally:
        os.close(source)
        feeder.join(10)
