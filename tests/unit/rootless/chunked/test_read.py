"""`rootless.chunked.read`: the table of contents of a blob."""

import gzip
import json

import chunked_blobs
import images
import pytest
import zstandard
from chunked_blobs import Blob, estargz, file_entry, zstd_chunked

from rootless.chunked import footer, read
from rootless.chunked.place import ESTARGZ_DIGEST, ZSTD_PREFIXES
from rootless.chunked.toc import Kind
from rootless.errors import IntegrityError

CONTENTS = {
    Kind.ESTARGZ: gzip.compress(b"header") + gzip.compress(b"hello"),
    Kind.ZSTD_CHUNKED: zstandard.ZstdCompressor().compress(b"header")
    + zstandard.ZstdCompressor().compress(b"hello"),
}
PLACES = {
    Kind.ESTARGZ: len(gzip.compress(b"header")),
    Kind.ZSTD_CHUNKED: len(zstandard.ZstdCompressor().compress(b"header")),
}
BUILDERS = {Kind.ESTARGZ: estargz, Kind.ZSTD_CHUNKED: zstd_chunked}
EACH = pytest.mark.parametrize("kind", chunked_blobs.KINDS)


def blob(kind: Kind) -> Blob:
    """Return a blob with one file."""
    return BUILDERS[kind]([file_entry("a", b"hello", PLACES[kind])], CONTENTS[kind])


@EACH
def test_a_blob_with_one_file(kind: Kind) -> None:
    """One range is read, and the file's chunk is where the table says."""
    made = blob(kind)
    toc = made.toc()
    assert (toc.kind, toc.contents_end) == (kind, len(CONTENTS[kind]))
    assert made.content(toc.entries[0]) == b"hello"
    assert len(made.asked) == 1


def test_a_large_toc_of_estargz() -> None:
    """One that does not fit into the blob's last bytes is read by itself."""
    entries = [{"name": images.digest(b"%d" % n), "type": "reg"} for n in range(3000)]
    made = estargz(entries, CONTENTS[Kind.ESTARGZ])
    assert len(made.toc().entries) == 3000
    assert len(made.asked) == 2


def test_a_position_that_only_the_footer_has() -> None:
    """Without the annotation the footer is asked."""
    made = blob(Kind.ZSTD_CHUNKED)
    prefix = ZSTD_PREFIXES[0]
    made.annotations = {
        name: value
        for name, value in made.annotations.items()
        if name != prefix + "manifest-position"
    }
    assert made.content(made.toc().entries[0]) == b"hello"
    assert len(made.asked) == 2


def test_a_zstd_layer_of_the_stargz_snapshotter() -> None:
    """The digest is that of the JSON."""
    document = json.dumps({"version": 1, "entries": []}).encode()
    made = zstd_chunked([], document=document)
    made.annotations = {ESTARGZ_DIGEST: images.digest(document)}
    assert made.toc().entries == ()


@EACH
def test_another_toc(kind: Kind) -> None:
    """One with another digest than the manifest says is refused before it is looked at."""
    made, other = blob(kind), BUILDERS[kind]([], CONTENTS[kind])
    made.annotations = dict.fromkeys((*made.annotations,), images.digest(b"other")) | {
        name: value for name, value in made.annotations.items() if "position" in name
    }
    with pytest.raises(IntegrityError, match="wrong digest of a table of contents: layer"):
        made.toc()
    assert other.toc().entries == ()


@pytest.mark.parametrize("position", ["0:10:10:1", "7:10:10:1", "99999:10:10:1", "30:99999:10:1"])
def test_a_toc_outside_of_the_blob(position: str) -> None:
    """Nothing is asked for that the blob does not have."""
    made = blob(Kind.ZSTD_CHUNKED)
    name = ZSTD_PREFIXES[0] + "manifest-position"
    made.annotations = {**made.annotations, name: position}
    with pytest.raises(IntegrityError, match="table of contents lies outside of the layer"):
        made.toc()
    assert not made.asked


@pytest.mark.parametrize("offset", [1 << 40, (1 << 64) - 1])
def test_a_footer_that_leads_astray(offset: int) -> None:
    """A place that the blob does not have is refused."""
    made = estargz([], CONTENTS[Kind.ESTARGZ], ending=footer.estargz_footer(offset))
    with pytest.raises(IntegrityError, match="table of contents lies outside of the layer"):
        made.toc()


@EACH
def test_a_blob_of_a_few_bytes(kind: Kind) -> None:
    """It has no footer."""
    made = blob(kind)
    made.data = made.data[:5]
    with pytest.raises(IntegrityError, match=r"without a valid footer|outside of the layer"):
        made.toc()


@EACH
def test_a_toc_that_is_too_large(kind: Kind, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is refused by its length in the blob, and by that of the JSON where only that is large."""
    monkeypatch.setattr(read, "_SIZE_MAX", 50)
    with pytest.raises(IntegrityError, match=r"is too large|is damaged"):
        blob(kind).toc()
    monkeypatch.undo()
    monkeypatch.setattr(read, "_STORED_MAX", 50)
    with pytest.raises(IntegrityError, match="table of contents is too large: layer"):
        blob(kind).toc()


def with_tar(tar: bytes) -> Blob:
    """Return an eStargz blob that has this tar where the table of contents should be."""
    data = gzip.compress(tar) if tar else b"no gzip at all"
    start = CONTENTS[Kind.ESTARGZ]
    return Blob(
        start + data + footer.estargz_footer(len(start)),
        images.LAYER_TYPES["gzip"],
        {ESTARGZ_DIGEST: images.digest(b"")},
    )


@pytest.mark.parametrize(
    ("tar", "reason"),
    [
        (b"", "gzip data is damaged"),
        (b"no tar", "table of contents is damaged"),
        (images.LayerBuilder().tar(), "table of contents is missing"),
        (images.LayerBuilder().file("other.json", b"{}").tar(), "table of contents is missing"),
        (images.LayerBuilder().file("stargz.index.json", b"{}").tar()[:600], "is damaged"),
        (
            images.LayerBuilder().file("a").file("stargz.index.json", b"{}").tar(),
            "table of contents is missing",
        ),
    ],
)
def test_what_is_no_toc(tar: bytes, reason: str) -> None:
    """The member that has the table is a tar with that one file."""
    with pytest.raises(IntegrityError, match=reason):
        with_tar(tar).toc()


def test_errors_of_the_reader_pass() -> None:
    """What the network has to say is said by who reads."""
    made = blob(Kind.ESTARGZ)

    async def broken(offset: int, length: int) -> bytes:
        raise ConnectionResetError

    made.read_range = broken  # type: ignore[method-assign]
    with pytest.raises(ConnectionResetError):
        made.toc()
