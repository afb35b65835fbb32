"""`rootless.transfer.destination`: layouts and `dir:` as they are filled."""

import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import trio

from rootless.errors import IntegrityError
from rootless.image.byte_stream import ByteStream
from rootless.oci import descriptor as media
from rootless.oci.descriptor import Descriptor
from rootless.oci.digest import sha256_of
from rootless.oci.image_index import parse_image_index
from rootless.transfer.destination import (
    DirDestination,
    FileDestination,
    LayoutDestination,
    OpenAt,
)
from rootless.transfer.files import FolderFiles
from rootless.transfer.outgoing import SentLayer
from rootless.transfer.progress import Silent

DATA = b"content" * 1000
BLOB = Descriptor("t", sha256_of(DATA), len(DATA))


def opener(data: bytes) -> OpenAt:
    """Return what opens bytes in memory."""

    @contextmanager
    def open_at(offset: int) -> Iterator[ByteStream]:
        yield io.BytesIO(data[offset:])

    return open_at


def layout(folder: Path) -> LayoutDestination:
    """Return a new layout."""
    return LayoutDestination(FolderFiles(folder, "here"))


def put(destination: FileDestination, data: bytes) -> int:
    """Put bytes as the blob; return how many were told of."""
    went: list[int] = []
    trio.run(destination.put, BLOB, opener(data), went.append)
    return sum(went)


def test_blob_is_there_once_it_was_verified(tmp_path: Path) -> None:
    """Under its digest, and told of."""
    destination = layout(tmp_path)
    assert not trio.run(destination.holds, BLOB)
    assert put(destination, DATA) == len(DATA)
    assert trio.run(destination.holds, BLOB)
    assert (tmp_path / "blobs/sha256" / BLOB.digest[7:]).read_bytes() == DATA


@pytest.mark.parametrize(
    ("data", "says"),
    [(DATA[:-1], "wrong size"), (DATA + b"x", "wrong size"), (b"x" * len(DATA), "wrong digest")],
)
def test_other_bytes_are_not_kept(tmp_path: Path, data: bytes, says: str) -> None:
    """Too few, too many, others."""
    destination = layout(tmp_path)
    with pytest.raises(IntegrityError, match=says):
        put(destination, data)
    assert not trio.run(destination.holds, BLOB)
    assert list((tmp_path / "blobs/sha256").iterdir()) == []


def test_blob_that_is_made_gets_its_name_at_the_end(tmp_path: Path) -> None:
    """In both kinds."""
    for destination in (
        layout(tmp_path / "l"),
        DirDestination(FolderFiles(tmp_path / "d", "d")),
    ):
        sent = trio.run(
            destination.make,
            lambda write: (write(DATA), SentLayer(BLOB, BLOB.digest))[1],
            Silent(),
        )
        assert sent.descriptor == BLOB
        assert trio.run(destination.holds, BLOB)


def test_names_of_a_layout(tmp_path: Path) -> None:
    """A name that is given again leaves its old image; an image without a name has one entry."""
    destination = layout(tmp_path)
    for data, names in ((b"1", ["a", "b"]), (b"2", ["a"]), (b"3", []), (b"3", []), (b"4", None)):
        trio.run(destination.put_manifest, data, media.MANIFEST, names)
    assert not (tmp_path / "index.json").exists()
    trio.run(destination.finish)
    entries = parse_image_index((tmp_path / "index.json").read_bytes()).manifests
    assert [(e.annotations.get(media.REF_NAME), e.digest) for e in entries] == [
        ("b", sha256_of(b"1")),
        ("a", sha256_of(b"2")),
        (None, sha256_of(b"3")),
    ]
    assert json.loads((tmp_path / "oci-layout").read_text()) == {"imageLayoutVersion": "1.0.0"}
    again = LayoutDestination(
        FolderFiles(tmp_path, "here"), parse_image_index((tmp_path / "index.json").read_bytes())
    )
    trio.run(again.put_manifest, b"5", media.MANIFEST, ["b"])
    trio.run(again.finish)
    entries = parse_image_index((tmp_path / "index.json").read_bytes()).manifests
    assert [e.annotations.get(media.REF_NAME) for e in entries] == ["a", None, "b"]


def test_dir_has_the_named_manifest_and_those_of_an_index(tmp_path: Path) -> None:
    """As skopeo has it."""
    destination = DirDestination(FolderFiles(tmp_path, "d"))
    trio.run(destination.put_manifest, b"inner", media.MANIFEST, None)
    trio.run(destination.put_manifest, b"top", media.IMAGE_INDEX, [])
    trio.run(destination.finish)
    assert (tmp_path / f"{sha256_of(b'inner')[7:]}.manifest.json").read_bytes() == b"inner"
    assert (tmp_path / "manifest.json").read_bytes() == b"top"
    assert (tmp_path / "version").read_text() == "Directory Transport Version: 1.1\n"
