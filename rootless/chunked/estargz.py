"""Writing eStargz: a gzip layer in which each piece of a file is a member of its own.

The TOC is the tar's last file and a landmark is one more, so the layer decompresses to another tar
than it was made of, and has another diff ID. Headers and contents stay as they are, byte for byte,
but for sparse files, which the format cannot tell: they are written with their holes filled.
"""

import hashlib
import stat
import zlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, BinaryIO, cast

from rootless.chunked import footer
from rootless.chunked.output import Hashed, Sink, Written
from rootless.chunked.parse import LANDMARKS, NO_PREFETCH_LANDMARK, PREFETCH_LANDMARK
from rootless.chunked.place import ESTARGZ_DIGEST, ESTARGZ_SIZE
from rootless.chunked.read import TOC_NAME
from rootless.chunked.reorder import prioritized_first
from rootless.chunked.tar_parts import Part, TarParts
from rootless.chunked.toc_json import Fields, entry_fields, toc_bytes
from rootless.image.byte_stream import ByteStream
from rootless.image.layers import SPARSE, Entry
from rootless.image.member_header import END, Member, header, padding
from rootless.oci.digest import sha256_of

MEDIA_TYPE = "application/vnd.oci.image.layer.v1.tar+gzip"
CHUNK_SIZE = 1 << 20
LEVEL = 6

_OWN = (TOC_NAME, *LANDMARKS)
_LANDMARK_CONTENTS = b"\x0f"
_STEP = 1 << 20
_GZIP = 31  # wbits of zlib: a header of gzip's


def write_estargz(
    tar: ByteStream,
    out: Sink,
    *,
    chunk_size: int = CHUNK_SIZE,
    level: int = LEVEL,
    prioritized: Sequence[bytes] = (),
    what: str = "layer",
) -> Written:
    """Write the layer *tar* to *out*; the same tar makes the same bytes.

    Args:
        tar: The layer, not compressed; with *prioritized*, a file.
        out: Where the blob is written.
        chunk_size: How much of a file is in a member, at most.
        level: zlib's level.
        prioritized: Paths of what a container needs at its start, the most important first.
        what: The layer, for messages.

    Raises:
        IntegrityError: It is not a valid layer.
    """
    first = 0
    if prioritized:
        tar, first = prioritized_first(cast("BinaryIO", tar), prioritized, what)
    writer = _Writer(out, level, chunk_size)
    parts = TarParts(tar, what)
    if not first:
        writer.landmark(NO_PREFETCH_LANDMARK)
    for count, part in enumerate(parts, 1):
        if part.entry.path not in _OWN:  # those of an eStargz layer that is written again
            writer.member(parts, part)
        if count == first:
            writer.landmark(PREFETCH_LANDMARK)
    for _ in parts.rest():  # the end of the tar is where the TOC ends, whatever this one has there
        pass
    return writer.finish()


class _Writer:
    """Members of a gzip file out of those of a tar."""

    def __init__(self, out: Sink, level: int, chunk_size: int) -> None:
        self._blob = Hashed(out)
        self._tar = Hashed()
        self._level = level
        self._chunk_size = chunk_size
        self._compressor: Any = None
        self._entries: list[Fields] = []

    def landmark(self, name: bytes) -> None:
        """Write the file that says where the prioritized ones end, or that there are none."""
        member = Member(name.decode(), stat.S_IFREG, 0, 0, 0, len(_LANDMARK_CONTENTS))
        self._bytes(header(member))
        fields = {"name": member.path, "type": "reg", "size": member.size}
        self._contents(fields, member.size, iter((_LANDMARK_CONTENTS,)))

    def member(self, parts: TarParts, part: Part) -> None:
        """Write the current member of a tar."""
        fields = entry_fields(part)
        if part.entry.flags & SPARSE:
            self._bytes(header(_plain(part.entry, part.xattrs)))
            self._contents(fields, part.entry.size, _filled(parts, part))
            return
        self._bytes(part.head)
        if not part.stored:
            self._entries.append(fields)
            return
        self._contents(fields, part.stored, parts.contents(part.stored))

    def _contents(self, fields: Fields, size: int, pieces: Iterator[bytes]) -> None:
        """Write a file's contents and padding, and its entries in the TOC."""
        entries = [fields] if not size else []
        whole = hashlib.sha256()
        for offset, content in _chunks(pieces, self._chunk_size):
            self._end_member()
            entry = fields if not offset else {"type": "chunk", "name": fields["name"]}
            entry["offset"] = self._blob.size
            if offset:
                entry["chunkOffset"] = offset
            if offset + len(content) < size:  # the last one has none
                entry["chunkSize"] = len(content)
            entry["chunkDigest"] = sha256_of(content)
            entries.append(entry)
            whole.update(content)
            self._bytes(content)
        fields["digest"] = f"sha256:{whole.hexdigest()}"
        self._bytes(padding(size))
        self._entries += entries

    def finish(self) -> Written:
        """Write the TOC and the footer."""
        self._end_member()
        offset = self._blob.size
        toc = toc_bytes(self._entries)
        member = Member(TOC_NAME.decode(), stat.S_IFREG | 0o444, 0, 0, 0, len(toc))
        self._bytes(header(member) + toc + padding(len(toc)) + END)
        self._end_member()
        self._blob.write(footer.estargz_footer(offset))
        annotations = {ESTARGZ_DIGEST: sha256_of(toc), ESTARGZ_SIZE: str(self._tar.size)}
        return Written(
            self._blob.digest(),
            self._blob.size,
            self._tar.digest(),
            self._tar.size,
            MEDIA_TYPE,
            annotations,
        )

    def _bytes(self, data: bytes) -> None:
        if not data:
            return
        if self._compressor is None:
            self._compressor = zlib.compressobj(self._level, zlib.DEFLATED, _GZIP)
        self._tar.write(data)
        self._blob.write(self._compressor.compress(data))

    def _end_member(self) -> None:
        if self._compressor is not None:
            self._blob.write(self._compressor.flush())
        self._compressor = None


def _chunks(pieces: Iterator[bytes], size: int) -> Iterator[tuple[int, bytes]]:
    """Yield contents again in chunks of *size* bytes, and where each begins."""
    offset, buffer = 0, b""
    for piece in pieces:
        buffer += piece
        whole = len(buffer) - len(buffer) % size
        for start in range(0, whole, size):
            yield offset + start, buffer[start : start + size]
        offset, buffer = offset + whole, buffer[whole:]
    if buffer:
        yield offset, buffer


def _filled(parts: TarParts, part: Part) -> Iterator[bytes]:
    """Yield the contents of a sparse file with zeros where its holes are."""
    done = 0
    for offset, length, _ in (*part.extents, (part.entry.size, 0, 0)):
        while done < offset:
            zeros = bytes(min(_STEP, offset - done))
            done += len(zeros)
            yield zeros
        yield from parts.contents(length)
        done += length


def _plain(entry: Entry, xattrs: Mapping[bytes, bytes]) -> Member:
    """Return the member of a sparse file as one that is not."""
    path = entry.path.decode("utf-8", "surrogateescape")
    return Member(
        path,
        entry.mode,
        entry.uid,
        entry.gid,
        entry.mtime_ns,
        entry.size,
        xattrs=xattrs,
    )
