"""`rootless.chunked.parse`: a table of contents, and all that can be wrong with one."""

import json
import os
from typing import Any

import images
import pytest
from chunked_blobs import file_entry

from rootless.chunked import parse
from rootless.chunked.parse import parse_toc
from rootless.chunked.place import TocPlace
from rootless.chunked.toc import Codec, EntryType, Kind, Toc
from rootless.errors import IntegrityError
from rootless.oci.digest import Digest

PLACE = TocPlace(Kind.ESTARGZ, Digest(images.digest(b"")))
END = 10_000
A = images.digest(b"a")


def parsed(*entries: dict[str, Any], kind: Kind = Kind.ESTARGZ) -> Toc:
    """Parse a table of contents with these entries."""
    data = json.dumps({"version": 1, "entries": entries}).encode()
    return parse_toc(data, TocPlace(kind, PLACE.digest), END, "layer")


def test_every_kind_of_entry() -> None:
    """Each has what its kind has, and nothing else."""
    toc = parsed(
        {"name": "./", "type": "dir", "mode": 0o755},
        {"name": "bin/", "type": "dir", "mode": 16877, "modtime": "1970-01-01T00:00:02Z"},
        file_entry("bin/sh", b"a", 100, uid=1, gid=2, userName="x"),
        {"name": "bin/dash", "type": "hardlink", "linkName": "./bin/sh"},
        {"name": "lib", "type": "symlink", "linkName": "/usr/lib", "mode": 0o777},
        {"name": "null", "type": "char", "devMajor": 1, "devMinor": 3, "size": 7},
        {"name": "loop", "type": "block", "devMajor": 7},
        {"name": "pipe", "type": "fifo"},
        {"name": "empty", "type": "reg"},
        {"name": "etc/.wh.passwd", "type": "reg", "offset": 77},
    )
    found = {entry.path: entry for entry in toc.entries}
    assert [entry.path for entry in toc.entries][:3] == [b"", b"bin", b"bin/sh"]
    assert found[b"bin"].mode == 0o755
    assert found[b"bin"].mtime_ns == 2 * 10**9
    shell = found[b"bin/sh"]
    assert (shell.uid, shell.gid, shell.size, len(shell.chunks)) == (1, 2, 1, 1)
    assert found[b"bin/dash"].target == b"bin/sh"
    assert found[b"lib"].target == b"/usr/lib"
    assert (found[b"null"].rdev, found[b"null"].size) == (os.makedev(1, 3), 0)
    assert found[b"loop"].type is EntryType.BLOCK_DEVICE
    assert found[b"empty"].chunks == found[b"etc/.wh.passwd"].chunks == ()


def test_a_file_in_pieces() -> None:
    """The first is in the file's own entry; the last one's size may be left to the file's."""
    toc = parsed(
        file_entry("big", b"", 100, size=25, chunkSize=10, chunkDigest=A, digest=A),
        {"type": "chunk", "offset": 200, "chunkOffset": 10, "chunkSize": 10, "chunkDigest": A},
        {"type": "chunk", "name": "./big", "offset": 300, "chunkOffset": 20, "chunkDigest": A},
        file_entry("next", b"x", 400),
    )
    big, following = toc.entries
    places = [(chunk.file_offset, chunk.size, chunk.place) for chunk in big.chunks]
    assert places == [(0, 10, 100), (10, 10, 200), (20, 5, 300)]
    assert following.chunks[0].stored == END - 400


def test_the_digest_of_a_whole_file() -> None:
    """A file in one piece may have only that; podman writes it so."""
    entry = file_entry("x", b"a", 100, digest=A, chunkDigest=None, endOffset=120)
    (found,) = parsed(entry, kind=Kind.ZSTD_CHUNKED).entries
    assert found.chunks[0].digest.hex() == A.partition(":")[2]
    assert (found.chunks[0].codec, found.chunks[0].stored) == (Codec.ZSTD, 20)


def test_zeros() -> None:
    """A piece of zeros needs no digest, and may be of any size."""
    (found,) = parsed(
        file_entry("x", b"a", 100, size=1 << 40, chunkSize=1),
        {"type": "chunk", "offset": 110, "chunkOffset": 1, "chunkType": "zeros"},
        kind=Kind.ZSTD_CHUNKED,
    ).entries
    assert [chunk.codec for chunk in found.chunks] == [Codec.ZSTD, Codec.ZEROS]
    assert found.chunks[1].size == (1 << 40) - 1


def test_the_landmark() -> None:
    """It says where the area ends that is to be read first."""
    first, landmark = file_entry("x", b"a", 100), file_entry(".prefetch.landmark", b"\x0f", 200)
    assert parsed(first, landmark).prefetch_end == 200
    assert parsed(first, file_entry(".no.prefetch.landmark", b"\x0f", 200)).prefetch_end == 0


CHUNK = {"type": "chunk", "name": "x", "offset": 200, "chunkOffset": 10, "chunkDigest": A}
FIRST = file_entry("x", b"", 100, size=20, chunkSize=10, chunkDigest=A)


@pytest.mark.parametrize(
    ("entries", "reason"),
    [
        ([{"type": "reg"}], "without a name"),
        ([{"name": "", "type": "reg"}], "without a name"),
        ([{"name": "x", "type": "door"}], "of an unknown type"),
        ([{"name": "x"}], "of an unknown type"),
        ([{"name": "../x", "type": "reg"}], "a part `..`"),
        ([{"name": "a/../../x", "type": "reg"}], "a part `..`"),
        ([{"name": "a\0b", "type": "reg"}], "a NUL"),
        ([{"name": "x" * 300, "type": "reg"}], "longer than Linux allows"),
        ([{"name": "x", "type": "dir"}, {"name": "./x/", "type": "dir"}], "name is there twice"),
        ([{"name": "x", "type": "reg", "uid": -1}], "uid is no number"),
        ([{"name": "x", "type": "reg", "uid": (1 << 32) - 1}], "which Linux cannot hold"),
        ([{"name": "x", "type": "char", "devMajor": 1 << 12}], "devMajor is no number"),
        ([{"name": "x", "type": "symlink"}], "a link whose target is empty"),
        ([{"name": "x", "type": "symlink", "linkName": "a\0"}], "a link whose target"),
        ([{"name": "x", "type": "hardlink", "linkName": "../y"}], "a part `..`"),
        ([file_entry("x", b"a", 100, size=-1)], "size is no number"),
        ([file_entry("x", b"a", 100, size=1 << 50, chunkSize=1)], "larger than a file can be"),
        ([file_entry("x", b"a", 100, chunkDigest=None)], "without a digest"),
        ([file_entry("x", b"a", 100, chunkDigest="sha256:0")], "no SHA-256 digest"),
        ([file_entry("x", b"a", 100, chunkSize=2)], "pieces are longer than the file"),
        ([file_entry("x", b"a", 100, chunkSize=-1)], "chunkSize is no number"),
        ([file_entry("x", b"a", 100, chunkOffset=1)], "does not follow the piece before it"),
        ([file_entry("x", b"a", 100, innerOffset=-1)], "innerOffset is no number"),
        ([file_entry("x", b"a", 100, innerOffset=1 << 40)], "a piece of more than 256 MiB"),
        ([file_entry("x", b"", 100, size=1 << 30)], "a piece of more than 256 MiB"),
        ([file_entry("x", b"a", 100, chunkType="holes")], "unknown chunkType"),
        ([CHUNK], "a piece of no file"),
        ([{"name": "x", "type": "dir"}, CHUNK], "a piece of no file"),
        ([{"name": "x", "type": "reg"}, CHUNK], "a piece of an empty file"),
        ([FIRST], "before all pieces of the file"),
        ([FIRST, {"name": "y", "type": "dir"}], "before all pieces of the file"),
        ([FIRST, CHUNK | {"chunkOffset": 9}], "does not follow the piece before it"),
        ([FIRST, CHUNK | {"chunkOffset": 11}], "does not follow the piece before it"),
        ([FIRST, CHUNK | {"name": "y"}], "a piece of another file"),
        ([FIRST, CHUNK | {"chunkSize": 9}], "before all pieces of the file"),
        ([FIRST, CHUNK | {"chunkSize": 11}], "pieces are longer than the file"),
        ([FIRST, CHUNK, CHUNK | {"chunkOffset": 20}], "pieces are longer than the file"),
        ([FIRST, CHUNK | {"chunkDigest": None, "digest": A}], "without a digest"),
        ([FIRST, CHUNK | {"offset": 100}], "a chunk that overlaps another"),
        ([file_entry("x", b"a", 0)], "a chunk outside of the layer's contents"),
        ([file_entry("x", b"a", END)], "a chunk outside of the layer's contents"),
        ([file_entry("x", b"a", 100, endOffset=END + 1)], "a chunk that overlaps another"),
    ],
)
def test_hostile_entries(entries: list[dict[str, Any]], reason: str) -> None:
    """Each is refused with the reason, in one line that names the layer."""
    with pytest.raises(IntegrityError, match=reason) as caught:
        parsed(*entries)
    assert "layer, " in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        (b"", "is not JSON"),
        (b"\xff", "is not JSON"),
        (b"[" * 100_000, "is not JSON"),
        (b"[]", "has no entries"),
        (b"{}", "has no entries"),
        (b'{"version":1,"entries":{}}', "has no entries"),
        (b'{"version":2,"entries":[]}', "of an unknown version"),
        (b'{"entries":[]}', "of an unknown version"),
        (b'{"version":1,"entries":[1]}', "has an entry that is no object"),
        (b'{"version":1,"entries":[]}{}', "is not JSON"),
    ],
)
def test_hostile_documents(document: bytes, reason: str) -> None:
    """What is no table of contents is refused."""
    with pytest.raises(IntegrityError, match=f"^table of contents {reason}: layer"):
        parse_toc(document, PLACE, END, "layer")


def test_a_million_entries(monkeypatch: pytest.MonkeyPatch) -> None:
    """Too many are refused, before they are made where that can be told."""
    monkeypatch.setattr(parse, "ENTRIES_MAX", 2)
    with pytest.raises(IntegrityError, match="too many entries"):
        parsed(*({"name": str(n), "type": "reg"} for n in range(3)))
    with pytest.raises(IntegrityError, match="too many entries"):
        parse_toc(b'{"version":1,"entries":[' + b"{}," * 2_100_000, PLACE, END, "layer")
