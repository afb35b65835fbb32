"""`rootless.chunked.footer`: the ends of blobs, ours and those of others."""

import gzip
import struct

import pytest
import zstandard

from rootless.chunked import footer
from rootless.errors import IntegrityError

DEFLATED_NOTHING = b"\x01\0\0\xff\xff" + bytes(8)
LEGACY = b"\x1f\x8b\x08\x04\0\0\0\0\0\xff\x16\0" + b"%016xSTARGZ" % 255 + DEFLATED_NOTHING
# the last 48 bytes of a blob that skopeo 1.9 wrote
OF_SKOPEO = bytes.fromhex(
    "502a4d18280000003bb40a0000000000fc06000000000000f41c0000000000000100000000000000476e556c496e5578"
)


def test_the_footer_of_estargz() -> None:
    """It has 51 bytes, is an empty gzip member, and says where the TOC is."""
    made = footer.estargz_footer(0x1234)
    assert len(made) == 51
    assert gzip.decompress(made) == b""
    assert footer.parse_estargz(b"before" + made, "layer") == (0x1234, 51)


def test_the_footer_of_stargz() -> None:
    """The older form has 47 bytes, without a header of the extra field's own."""
    assert gzip.decompress(LEGACY) == b""
    assert footer.parse_estargz(bytes(20) + LEGACY, "layer") == (255, 47)


def test_the_footer_of_zstd_chunked() -> None:
    """It is a skippable frame that says where the TOC lies."""
    made = footer.zstd_footer(1000, 20, 99)
    assert len(made) == 48
    frames = zstandard.ZstdCompressor().compress(b"x") + made
    reader = zstandard.ZstdDecompressor().stream_reader(frames, read_across_frames=True)
    assert reader.read() == b"x"
    assert footer.parse_zstd(made, "layer") == (1000, 20)


def test_the_footer_that_skopeo_writes() -> None:
    """The same form as ours: skopeo 1.9 is of a time when there was no other."""
    assert footer.parse_zstd(bytes(24) + OF_SKOPEO, "layer") == (701499, 1788)
    assert footer.zstd_footer(701499, 1788, 7412) == OF_SKOPEO


def test_the_longer_footer_of_zstd_chunked() -> None:
    """The newer form has 64 bytes, three more numbers and another letter in its mark."""
    content = struct.pack("<7Q", 1000, 20, 99, 1, 7, 8, 9) + b"GNUlInUx"
    made = footer.skippable_frame(content)
    assert len(made) == footer.TAIL_BYTES
    assert footer.parse_zstd(made, "layer") == (1000, 20)


@pytest.mark.parametrize(
    "tail",
    [
        b"",
        b"short",
        bytes(51),
        gzip.compress(b"", mtime=0),
        footer.estargz_footer(1)[:-1],
        footer.estargz_footer(1).replace(b"SG\x16", b"SH\x16"),
        footer.estargz_footer(1).replace(b"0001", b"0x01"),
        footer.estargz_footer(1).replace(b"STARGZ", b"STARGY"),
        footer.estargz_footer(1)[:-1] + b"\1",
        LEGACY.replace(b"00ff", b"-0ff"),
    ],
)
def test_no_footer_of_estargz(tail: bytes) -> None:
    """Anything else is an error."""
    with pytest.raises(IntegrityError, match="eStargz layer without a valid footer: layer"):
        footer.parse_estargz(tail, "layer")


def test_a_toc_in_another_image() -> None:
    """It is named as what it is: such a layer can be read as a whole only."""
    extra = b"SG\x11\0STARGZEXTERNALTOC"
    tail = b"\x1f\x8b\x08\x04" + bytes(5) + b"\xff" + struct.pack("<H", len(extra)) + extra
    with pytest.raises(IntegrityError, match="whose TOC is in another image"):
        footer.parse_estargz(tail + DEFLATED_NOTHING, "layer")


@pytest.mark.parametrize("tail", [b"", bytes(72), OF_SKOPEO[:-1], OF_SKOPEO.swapcase()])
def test_no_footer_of_zstd_chunked(tail: bytes) -> None:
    """Anything else is an error."""
    with pytest.raises(IntegrityError, match="zstd:chunked layer without a valid footer: layer"):
        footer.parse_zstd(tail, "layer")


def test_a_toc_of_an_unknown_type() -> None:
    """Only type 1 is known."""
    content = struct.pack("<4Q", 1, 2, 3, 2) + b"GNUlInUx"
    with pytest.raises(IntegrityError, match="TOC of an unknown type"):
        footer.parse_zstd(footer.skippable_frame(content), "layer")
