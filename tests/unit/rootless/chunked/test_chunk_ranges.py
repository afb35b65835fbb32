"""`rootless.chunked.chunk_ranges`: which bytes of the blob a piece needs."""

from itertools import pairwise

import pytest

from rootless.chunked.chunk_ranges import Piece, chunks_of
from rootless.chunked.toc import Codec, Kind
from rootless.errors import IntegrityError

DIGEST = bytes(32)


def piece(
    place: int,
    size: int = 10,
    file_offset: int = 0,
    *,
    inner: int = 0,
    end: int = 0,
    is_last: bool = True,
    is_zeros: bool = False,
) -> Piece:
    """Return a piece, of a file of its own where nothing else is said."""
    return Piece(file_offset, size, place, inner, is_zeros, DIGEST, end, is_last)


def ranges(*pieces: Piece, end: int = 1000) -> list[tuple[int, int]]:
    """Return place and length of each chunk."""
    return [(c.place, c.stored) for c in chunks_of(list(pieces), Kind.ESTARGZ, end, "layer")]


def test_a_piece_reaches_to_the_next_one() -> None:
    """Whatever file that is of, and in whatever order the TOC has them."""
    assert ranges(piece(300), piece(100), piece(200)) == [(300, 700), (100, 100), (200, 100)]


def test_a_file_that_says_where_it_ends() -> None:
    """Its last piece ends there; a piece before it where the next begins."""
    first = piece(100, end=250, is_last=False)
    assert ranges(first, piece(200, file_offset=10), piece(400)) == [
        (100, 100),
        (200, 50),
        (400, 600),
    ]


def test_pieces_in_one_member() -> None:
    """Those with an inner offset are in the same bytes, up to where another member begins."""
    assert ranges(piece(100), piece(100, inner=10), piece(300)) == [
        (100, 200),
        (100, 200),
        (300, 700),
    ]


def test_zeros_are_not_fetched() -> None:
    """They still bound the piece before them, and lie where they like."""
    chunks = chunks_of(
        [piece(100), piece(150, is_zeros=True), piece(0, is_zeros=True)],
        Kind.ZSTD_CHUNKED,
        1000,
        "layer",
    )
    assert [(c.codec, c.stored) for c in chunks] == [
        (Codec.ZSTD, 50),
        (Codec.ZEROS, 0),
        (Codec.ZEROS, 0),
    ]


def test_pieces_do_not_share_bytes_unless_they_say_so() -> None:
    """The ranges of pieces at different places are apart."""
    found = sorted(ranges(*(piece(place) for place in (5, 17, 400, 999))))
    assert all(a + n <= b for (a, n), (b, _) in pairwise(found))


@pytest.mark.parametrize(
    ("pieces", "reason"),
    [
        ((piece(0),), "outside of the layer's contents"),
        ((piece(1000),), "outside of the layer's contents"),
        ((piece(100), piece(100)), "that overlaps another"),
        ((piece(100, size=20), piece(100, inner=19)), "that overlaps another"),
        ((piece(100, end=201), piece(200)), "that overlaps another"),
        ((piece(100, end=100),), "that overlaps another"),
        ((piece(100, end=1001),), "that overlaps another"),
    ],
)
def test_what_cannot_be(pieces: tuple[Piece, ...], reason: str) -> None:
    """The error says where in the blob."""
    with pytest.raises(IntegrityError, match=f"{reason}: layer, byte \\d+ of the layer"):
        ranges(*pieces)


def test_a_piece_that_is_too_much_to_fetch() -> None:
    """It would be held in memory."""
    with pytest.raises(IntegrityError, match="of more than 512 MiB"):
        ranges(piece(1), end=1 << 30)
