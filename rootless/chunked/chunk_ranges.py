"""Which bytes of the blob each piece of a file needs.

A TOC says where pieces begin. Where one ends it says only of whole files, and eStargz not at all:
a piece reaches to where the next one begins, whatever file that is of, or to the end of the
contents. The bytes in between are compressed headers, which a decoder of the piece leaves alone.
"""

from bisect import bisect_right
from typing import NamedTuple

from rootless.chunked.toc import Chunk, Codec, Kind
from rootless.errors import IntegrityError

_STORED_MAX = 512 << 20  # fetched into memory
_CODECS = {Kind.ESTARGZ: Codec.GZIP, Kind.ZSTD_CHUNKED: Codec.ZSTD}


class Piece(NamedTuple):
    """A piece of a file as the TOC has it.

    Attributes:
        file_offset: Where it begins in the file.
        size: Its length.
        place: Where its member or frame begins in the blob.
        inner: How many decoded bytes come before it.
        is_zeros: Whether it is zeros, and need not be fetched.
        digest: Of its contents.
        file_place_end: Where in the blob the file ends, if that is said; else 0.
        is_last: Whether the file ends with it.
    """

    file_offset: int
    size: int
    place: int
    inner: int
    is_zeros: bool
    digest: bytes
    file_place_end: int
    is_last: bool

    @property
    def file_end(self) -> int:
        """Where it ends in the file."""
        return self.file_offset + self.size


def chunks_of(pieces: list[Piece], kind: Kind, contents_end: int, what: str) -> list[Chunk]:
    """Return the chunks, in the order of the pieces; raises IntegrityError."""
    _check_apart([piece for piece in pieces if not piece.is_zeros], what)
    places = sorted({piece.place for piece in pieces})
    chunks = []
    file_place_end = 0
    for piece in pieces:
        if piece.file_offset == 0:
            file_place_end = piece.file_place_end
        if piece.is_zeros:
            chunks.append(_chunk(piece, 0, Codec.ZEROS))
            continue
        if not 0 < piece.place < contents_end:
            raise _fault("outside of the layer's contents", piece, what)
        following = bisect_right(places, piece.place)
        end = places[following] if following < len(places) else contents_end
        end = min(end, contents_end)
        if piece.is_last and file_place_end:
            if not piece.place < file_place_end <= end:
                raise _fault("that overlaps another", piece, what)
            end = file_place_end
        if end - piece.place > _STORED_MAX:
            raise _fault(f"of more than {_STORED_MAX >> 20} MiB", piece, what)
        chunks.append(_chunk(piece, end - piece.place, _CODECS[kind]))
    return chunks


def _chunk(piece: Piece, stored: int, codec: Codec) -> Chunk:
    if codec is Codec.ZEROS:
        return Chunk(piece.file_offset, piece.size, 0, 0, 0, codec, b"")
    return Chunk(
        piece.file_offset, piece.size, piece.place, stored, piece.inner, codec, piece.digest
    )


def _check_apart(pieces: list[Piece], what: str) -> None:
    """Two pieces may be in one member, but not in the same bytes of it."""
    before: Piece | None = None
    for piece in sorted(pieces, key=lambda each: (each.place, each.inner)):
        is_shared = before is not None and piece.place == before.place
        if before is not None and is_shared and piece.inner < before.inner + before.size:
            raise _fault("that overlaps another", piece, what)
        before = piece


def _fault(reason: str, piece: Piece, what: str) -> IntegrityError:
    line = f"table of contents has a chunk {reason}"
    return IntegrityError(line, f"{what}, byte {piece.place} of the layer")
