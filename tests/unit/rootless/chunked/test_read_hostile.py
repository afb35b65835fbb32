"""`rootless.chunked.read` under random attack: a table of contents, or one error, and no other."""

import json
from collections.abc import Callable
from itertools import pairwise
from typing import Any, TypeVar

import chunked_blobs
import images
from chunked_blobs import Blob
from hypothesis import given, settings
from hypothesis import strategies as st

from rootless.chunked.parse import parse_toc
from rootless.chunked.place import TocPlace
from rootless.chunked.plan import plan_layer
from rootless.chunked.toc import Kind
from rootless.errors import IntegrityError
from rootless.oci.digest import Digest

LAYER = (
    images.small_layer()
    .file("big", bytes(range(256)) * 40)
    .file("capable", b"x", xattrs={"security.capability": images.CAP_NET_RAW})
    .whiteout("gone")
)
BLOBS = {kind: chunked_blobs.write(kind, LAYER.tar(), chunk_size=1000)[0] for kind in Kind}
TABLES = {kind: chunked_blobs.document_of(blob) for kind, blob in BLOBS.items()}
T = TypeVar("T")
KINDS = st.sampled_from(chunked_blobs.KINDS)
FIELDS = (
    *("name", "type", "size", "mode", "uid", "gid", "modtime", "linkName", "devMajor", "xattrs"),
    *("offset", "endOffset", "innerOffset", "digest", "chunkDigest", "chunkOffset", "chunkSize"),
    *("chunkType", "devMinor"),
)
NUMBERS = st.one_of(st.integers(-2, 12_000), st.sampled_from([1 << 31, 1 << 40, (1 << 63) - 1, -1]))
VALUES = st.one_of(
    NUMBERS,
    st.none(),
    st.booleans(),
    st.floats(),
    st.text(max_size=8),
    st.sampled_from(["reg", "chunk", "dir", "zeros", "../x", "a/b", ".wh.x", ".wh.", "\ud800"]),
    st.lists(st.integers(), max_size=1),
    st.dictionaries(st.text(max_size=3), st.one_of(st.text(max_size=3), st.none()), max_size=1),
)
CHANGES = st.lists(
    st.tuples(st.integers(0, 1000), st.sampled_from(FIELDS), VALUES), min_size=1, max_size=4
)


def accepted(read: Callable[[], T]) -> T | None:
    """Return what is read, None where it is refused: by one error, in one line."""
    try:
        return read()
    except IntegrityError as error:
        line = str(error)
    assert "\n" not in line
    return None


@settings(database=None, max_examples=400, deadline=None)
@given(kind=KINDS, changes=CHANGES, drop=st.integers(-1, 40))
def test_changed_entries(kind: Kind, changes: list[tuple[int, str, Any]], drop: int) -> None:
    """What is accepted holds what is promised: chunks within the contents, files without gaps."""
    document = json.loads(TABLES[kind])
    entries = document["entries"]
    for number, name, value in changes:
        entries[number % len(entries)][name] = value
    if drop >= 0:
        del entries[drop % len(entries)]
    end = len(BLOBS[kind].data)
    place = TocPlace(kind, Digest(images.digest(b"")))
    data = json.dumps(document).encode()
    toc = accepted(lambda: parse_toc(data, place, end, "layer"))
    plan = None if toc is None else accepted(lambda: plan_layer(toc))
    if toc is None or plan is None:
        return
    for entry in toc.entries:
        assert sum(chunk.size for chunk in entry.chunks) == entry.size
        for chunk in entry.chunks:
            assert chunk.place + chunk.stored <= end
            assert len(chunk.digest) in (0, 32)
    assert all(a.offset + a.chunk.size <= b.offset for a, b in pairwise(plan.chunks))
    assert len({each.entry.path for each in plan.entries}) == len(plan.entries)


@settings(database=None, max_examples=300, deadline=None)
@given(kind=KINDS, seed=st.randoms(use_true_random=False), count=st.integers(1, 6))
def test_changed_blobs(kind: Kind, seed: Any, count: int) -> None:
    """Bytes of the footer and of the table are changed: the digest, if nothing else, tells."""
    blob = BLOBS[kind]
    data = bytearray(blob.data)
    start = blob.toc().contents_end
    for _ in range(count):
        data[seed.randrange(start, len(data))] = seed.randrange(256)
    changed = Blob(bytes(data), blob.media_type, blob.annotations)
    toc = accepted(changed.toc)
    assert toc is None or toc.entries == blob.toc().entries


@settings(database=None, max_examples=200, deadline=None)
@given(kind=KINDS, data=st.binary(max_size=200), asks_footer=st.booleans())
def test_random_blobs(kind: Kind, data: bytes, *, asks_footer: bool) -> None:
    """Nothing is read beyond a blob, however short it is."""
    blob = BLOBS[kind]
    kept = {k: v for k, v in blob.annotations.items() if not asks_footer or "position" not in k}
    for each in (data, data + blob.data[-80:]):
        assert accepted(Blob(each, blob.media_type, kept).toc) is None
