"""Layers with a table of contents, written by our writers or by hand, and what reads them."""

import gzip
import io
import json
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import images
import trio
import zstandard

from rootless.chunked import footer
from rootless.chunked.decode import decode
from rootless.chunked.estargz import write_estargz
from rootless.chunked.output import Written
from rootless.chunked.place import ESTARGZ_DIGEST, ZSTD_PREFIXES, find_toc
from rootless.chunked.plan import LazyPlan, plan_layer
from rootless.chunked.read import read_toc
from rootless.chunked.toc import Codec, Kind, Toc, TocEntry
from rootless.chunked.zstd_chunked import write_zstd_chunked
from rootless.image.decompress import opened
from rootless.image.layers import Entry, LayerIndexBuilder, LayerIndexReader, LayerIndexWriter

KINDS = (Kind.ESTARGZ, Kind.ZSTD_CHUNKED)
MEDIA_TYPES = {
    Kind.ESTARGZ: images.LAYER_TYPES["gzip"],
    Kind.ZSTD_CHUNKED: images.LAYER_TYPES["zstd"],
}
WRITERS = {Kind.ESTARGZ: write_estargz, Kind.ZSTD_CHUNKED: write_zstd_chunked}

Layer = tuple[dict[bytes, tuple[object, ...]], object, object, dict[bytes, bytes]]
"""What an index says: entries, extended attributes, whiteouts, and the contents of the files."""


@dataclass
class Blob:
    """A blob and its descriptor's annotations.

    Attributes:
        data: The blob.
        media_type: Of the layer.
        annotations: Of the descriptor.
        asked: Which ranges were read, offset and length.
    """

    data: bytes
    media_type: str
    annotations: Mapping[str, str]
    asked: list[tuple[int, int]] = field(default_factory=list)

    async def read_range(self, offset: int, length: int) -> bytes:
        """Return bytes of the blob, as a registry would."""
        assert offset >= 0
        assert 0 < length <= len(self.data) - offset
        self.asked.append((offset, length))
        return self.data[offset : offset + length]

    def toc(self) -> Toc:
        """Read the table of contents."""
        place = find_toc(self.media_type, self.annotations)
        assert place is not None
        return trio.run(read_toc, place, len(self.data), self.read_range)

    def content(self, entry: TocEntry) -> bytes:
        """Return a file's contents, fetched chunk by chunk."""
        parts = []
        for chunk in entry.chunks:
            assert chunk.file_offset == sum(map(len, parts))
            if chunk.codec is Codec.ZEROS:
                parts.append(bytes(chunk.size))
            else:
                stored = self.data[chunk.place : chunk.place + chunk.stored]
                parts.append(decode(chunk, stored))
        return b"".join(parts)

    def tar(self) -> bytes:
        """Return what the blob decompresses to."""
        with opened(io.BytesIO(self.data), "blob") as stream:
            return stream.read() or b""


def write(kind: Kind, tar: bytes, **options: Any) -> tuple[Blob, Written]:
    """Write a layer by ours."""
    out = io.BytesIO()
    written = WRITERS[kind](io.BytesIO(tar), out, **options)
    return Blob(out.getvalue(), written.media_type, written.annotations), written


def document_of(blob: Blob) -> bytes:
    """Return the JSON of a blob's table of contents."""
    if blob.media_type == MEDIA_TYPES[Kind.ESTARGZ]:
        with tarfile.open(fileobj=io.BytesIO(blob.tar())) as archive:
            found = archive.extractfile("stargz.index.json")
            assert found is not None
            return found.read()
    place = find_toc(blob.media_type, blob.annotations)
    assert place is not None
    stored = blob.data[place.offset : place.offset + place.stored]
    return zstandard.ZstdDecompressor().decompress(stored)


def estargz(
    entries: Sequence[Any],
    contents: bytes = b"",
    *,
    document: bytes | None = None,
    ending: bytes | None = None,
) -> Blob:
    """Return an eStargz blob: contents as they are, then a table of contents with these entries.

    Args:
        entries: The entries.
        contents: The bytes in front.
        document: The table's JSON, instead of one made of the entries.
        ending: The footer, instead of the right one.
    """
    toc = json.dumps({"version": 1, "entries": entries}).encode() if document is None else document
    tar = images.LayerBuilder().file("stargz.index.json", toc).tar()
    end = footer.estargz_footer(len(contents)) if ending is None else ending
    data = contents + gzip.compress(tar, mtime=0) + end
    return Blob(data, MEDIA_TYPES[Kind.ESTARGZ], {ESTARGZ_DIGEST: images.digest(toc)})


def zstd_chunked(
    entries: Sequence[Any], contents: bytes = b"", *, document: bytes | None = None
) -> Blob:
    """Return a zstd:chunked blob, the place of its table of contents in the annotations."""
    toc = json.dumps({"version": 1, "entries": entries}).encode() if document is None else document
    stored = zstandard.ZstdCompressor().compress(toc)
    offset = len(contents) + footer.SKIPPABLE_HEADER
    data = contents + footer.skippable_frame(stored)
    data += footer.zstd_footer(offset, len(stored), len(toc))
    annotations = {
        ZSTD_PREFIXES[0] + "manifest-checksum": images.digest(stored),
        ZSTD_PREFIXES[0] + "manifest-position": f"{offset}:{len(stored)}:{len(toc)}:1",
    }
    return Blob(data, MEDIA_TYPES[Kind.ZSTD_CHUNKED], annotations)


def file_entry(name: str, content: bytes, offset: int, **rest: Any) -> dict[str, Any]:
    """Return the entry of a file in one chunk."""
    return {
        "name": name,
        "type": "reg",
        "mode": 0o644,
        "size": len(content),
        "offset": offset,
        "chunkDigest": images.digest(content),
    } | rest


def read_index(path: Path, space: bytes) -> Layer:
    """Return what an index says, with the contents of files in place of their offsets."""
    with LayerIndexReader(path) as reader:
        entries = {entry.number: entry for entry in reader.entries()}
        xattrs = [(entries[n].path, name, value) for n, name, value in reader.xattrs()]
        whiteouts = sorted(reader.whiteouts())
    told = {each.path: tuple(each._replace(number=0, offset=0)) for each in entries.values()}
    files = {each.path: contents(each, space) for each in entries.values()}
    return told, sorted(xattrs), whiteouts, files


def contents(entry: Entry, space: bytes) -> bytes:
    """Return the contents of a file."""
    is_file = entry.mode >> 12 == 0o10 and not entry.target
    return space[entry.offset : entry.offset + entry.size] if is_file else b""


def of_tar(folder: Path, tar: bytes) -> Layer:
    """Return what the index of a plain tar says."""
    with LayerIndexBuilder(folder / "of-tar") as builder:
        builder.feed(tar)
        builder.finish()
    return read_index(folder / "of-tar", tar)


def of_plan(folder: Path, blob: Blob) -> tuple[Layer, LazyPlan]:
    """Return what the index made of a plan says, and the plan."""
    toc = blob.toc()
    plan = plan_layer(toc)
    with LayerIndexWriter(folder / "of-plan") as writer:
        for entry, xattrs in plan.entries:
            writer.add(entry, xattrs)
        writer.finish()
    space = bytearray(plan.size)
    for offset, chunk in plan.chunks:
        stored = blob.data[chunk.place : chunk.place + chunk.stored]
        if chunk.codec is not Codec.ZEROS:
            space[offset : offset + chunk.size] = decode(chunk, stored)
    return read_index(folder / "of-plan", bytes(space)), plan
