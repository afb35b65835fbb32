"""Writing zstd:chunked: a zstd layer in which each piece of a file is a frame of its own.

The TOC and the footer are skippable frames, so the layer decompresses to the very tar that it was
made of, and its diff ID stays. Without "tar-split" data: containers/storage fetches a layer that
has none as a whole, as it does where it is not told of the TOC.
"""

import hashlib
from collections.abc import Iterator

from rootless.chunked import footer
from rootless.chunked.output import Hashed, Sink, Written
from rootless.chunked.place import CHECKSUM, POSITION, ZSTD_PREFIXES
from rootless.chunked.tar_parts import Part, TarParts
from rootless.chunked.toc_json import Fields, entry_fields, toc_bytes
from rootless.image.byte_stream import ByteStream
from rootless.image.layers import SPARSE
from rootless.oci.digest import sha256_of

MEDIA_TYPE = "application/vnd.oci.image.layer.v1.tar+zstd"
CHUNK_SIZE = 1 << 20
LEVEL = 3

_HEADERS_MAX = 1 << 20
_CRFS = 1
_ZEROS = memoryview(bytes(1 << 20))


def write_zstd_chunked(
    tar: ByteStream,
    out: Sink,
    *,
    chunk_size: int = CHUNK_SIZE,
    level: int = LEVEL,
    what: str = "layer",
) -> Written:
    """Write the layer *tar* to *out*; the same tar makes the same bytes.

    Args:
        tar: The layer, not compressed.
        out: Where the blob is written.
        chunk_size: How much of a file is in a frame, at most.
        level: zstd's level.
        what: The layer, for messages.

    Raises:
        IntegrityError: It is not a valid layer.
    """
    writer = _Writer(out, level)
    parts = TarParts(tar, what)
    entries: list[Fields] = []
    for part in parts:
        writer.header(part.head)
        fields = entry_fields(part)
        entries.append(fields)
        if part.stored or part.entry.flags & SPARSE:
            whole = hashlib.sha256()
            pieces = list(writer.contents(parts, part, chunk_size, whole))
            fields["digest"] = f"sha256:{whole.hexdigest()}"
            entries += _with_chunks(fields, pieces, writer.place)
        writer.header(parts.padding())
    for piece in parts.rest():
        writer.header(piece)
    writer.flush()
    return writer.finish(toc_bytes(entries))


def _with_chunks(fields: Fields, pieces: list[Fields], end: int) -> list[Fields]:
    """Put a file's pieces into the TOC: the first into its own entry, others behind it."""
    if not pieces:
        return []
    first, *others = pieces
    fields |= {"offset": first["offset"], "endOffset": end}
    if others or "chunkType" in first:
        fields |= first
    else:  # no size: it is that of the file
        fields["chunkDigest"] = first["chunkDigest"]
    return [{"type": "chunk", "name": fields["name"]} | other for other in others]


class _Writer:
    """Frames out of bytes, each compressed as a whole.

    Attributes:
        place: Where in the blob the next frame begins, once headers are flushed.
    """

    def __init__(self, out: Sink, level: int) -> None:
        import zstandard  # noqa: PLC0415 - only who compresses pays for it

        self._compressor = zstandard.ZstdCompressor(level=level)
        self._blob = Hashed(out)
        self._tar = Hashed()
        self._headers: list[bytes] = []
        self._headers_size = 0

    @property
    def place(self) -> int:
        return self._blob.size

    def header(self, data: bytes) -> None:
        """Take what is no contents of a file."""
        self._headers.append(data)
        self._headers_size += len(data)
        if self._headers_size >= _HEADERS_MAX:
            self.flush()

    def flush(self) -> None:
        """End the frame of headers, that contents may begin their own."""
        if self._headers_size:
            self._frame(b"".join(self._headers))
        self._headers, self._headers_size = [], 0

    def contents(
        self, parts: TarParts, part: Part, chunk_size: int, whole: "hashlib._Hash"
    ) -> Iterator[Fields]:
        """Write a file's contents; yield its pieces, those that are holes included.

        Args:
            parts: The tar.
            part: The member that the contents are of.
            chunk_size: How long a piece is, at most.
            whole: Takes all of the contents, holes as zeros.
        """
        self.flush()
        is_sparse = part.entry.flags & SPARSE
        extents = part.extents if is_sparse else ((0, part.stored, part.entry.offset),)
        done = 0
        for offset, length, _ in extents:
            if offset > done:
                yield self._hole(done, offset - done, whole)
            done = offset
            while done < offset + length:
                size = min(chunk_size, offset + length - done)
                content = b"".join(parts.contents(size))
                yield {
                    "offset": self.place,
                    "chunkOffset": done,
                    "chunkSize": size,
                    "chunkDigest": sha256_of(content),
                }
                self._frame(content)
                whole.update(content)
                done += size
        if done < part.entry.size:
            yield self._hole(done, part.entry.size - done, whole)

    def finish(self, toc: bytes) -> Written:
        """Write the TOC and the footer."""
        stored = self._compressor.compress(toc)
        offset = self.place + footer.SKIPPABLE_HEADER
        self._blob.write(footer.skippable_frame(stored))
        self._blob.write(footer.zstd_footer(offset, len(stored), len(toc)))
        annotations: dict[str, str] = {}
        for prefix in ZSTD_PREFIXES:
            annotations[prefix + CHECKSUM] = sha256_of(stored)
            annotations[prefix + POSITION] = f"{offset}:{len(stored)}:{len(toc)}:{_CRFS}"
        return Written(
            self._blob.digest(),
            self._blob.size,
            self._tar.digest(),
            self._tar.size,
            MEDIA_TYPE,
            annotations,
        )

    def _hole(self, offset: int, size: int, whole: "hashlib._Hash") -> Fields:
        """Return a piece of zeros; an empty frame gives it a place of its own, as readers want."""
        place = self.place
        self._frame(b"")
        for done in range(0, size, len(_ZEROS)):
            whole.update(_ZEROS[: size - done])
        return {"offset": place, "chunkOffset": offset, "chunkSize": size, "chunkType": "zeros"}

    def _frame(self, content: bytes) -> None:
        self._tar.write(content)
        self._blob.write(self._compressor.compress(content))
