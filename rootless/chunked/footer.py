"""The last bytes of a blob, which say where its TOC is.

eStargz: an empty gzip member whose extra field holds `%016xSTARGZ`, the TOC's offset; 51 bytes with
the field's own header `SG`, 47 in stargz, which came before and had none. zstd:chunked: a skippable
frame of 40 bytes (offset, length, length of the JSON, type, magic) or, with the place of the
"tar-split" data before the magic, of 64; all numbers are little-endian and have 64 bits.
"""

import re
import struct

from rootless.errors import IntegrityError

SKIPPABLE = b"\x50\x2a\x4d\x18"
SKIPPABLE_HEADER = 8
TAIL_BYTES = 72
"""No footer is longer."""

_GZIP_HEADER = b"\x1f\x8b\x08\x04" + bytes(4)  # FEXTRA; what follows, XFL and OS, says nothing
_EMPTY_MEMBER = b"\x01\x00\x00\xff\xff" + bytes(8)
_MARK = b"STARGZ"
_EXTERNAL = b"SG\x11\x00STARGZEXTERNALTOC"
_SUBFIELD = b"SG\x16\x00"
# containers/storage writes "GNUlInUx", the stargz snapshotter and older versions "GnUlInUx"
_OLD_MAGIC = b"GnUlInUx"
_MAGICS = (b"GNUlInUx", _OLD_MAGIC)
_CRFS = 1
_ZSTD_SIZES = (64, 40)
_DIGITS = 16
_HEX = re.compile(rb"[0-9a-fA-F]{16}")


def estargz_footer(offset: int) -> bytes:
    """Return the footer of a blob whose TOC begins at *offset*."""
    extra = _SUBFIELD + b"%016x" % offset + _MARK
    return _GZIP_HEADER + b"\x00\xff" + struct.pack("<H", len(extra)) + extra + _EMPTY_MEMBER


def parse_estargz(tail: bytes, what: str) -> tuple[int, int]:
    """Return where the TOC begins, and how long the footer is; raises IntegrityError."""
    for field in (_SUBFIELD, b""):
        length = len(field) + _DIGITS + len(_MARK)
        size = len(_GZIP_HEADER) + 2 + 2 + length + len(_EMPTY_MEMBER)
        footer = tail[-size:]
        extra = footer[12 : 12 + length]
        digits = extra[len(field) : -len(_MARK)]
        if (
            len(footer) == size
            and footer.startswith(_GZIP_HEADER)
            and footer[10:12] == struct.pack("<H", length)
            and extra.startswith(field)
            and extra.endswith(_MARK)
            and footer.endswith(_EMPTY_MEMBER)
            and _HEX.fullmatch(digits)
        ):
            return int(digits, 16), size
    if _EXTERNAL in tail[-46:]:
        raise IntegrityError("eStargz layer whose TOC is in another image", what)
    raise IntegrityError("eStargz layer without a valid footer", what)


def zstd_footer(offset: int, stored: int, size: int) -> bytes:
    """Return the skippable frame that ends a blob whose TOC is at *offset*.

    The shorter form: the stargz snapshotter reads no other, and containers/storage, which writes
    the longer one, goes by the annotations alone.
    """
    content = struct.pack("<4Q", offset, stored, size, _CRFS) + _OLD_MAGIC
    return skippable_frame(content)


def parse_zstd(tail: bytes, what: str) -> tuple[int, int]:
    """Return where the TOC lies and how many bytes it has; raises IntegrityError."""
    for size in _ZSTD_SIZES:
        frame = tail[-size - SKIPPABLE_HEADER :]
        header = SKIPPABLE + struct.pack("<I", size)
        if frame.startswith(header) and frame.endswith(_MAGICS):
            offset, stored, _, kind = struct.unpack_from("<4Q", frame, SKIPPABLE_HEADER)
            if kind != _CRFS:
                raise IntegrityError("zstd:chunked layer with a TOC of an unknown type", what)
            return offset, stored
    raise IntegrityError("zstd:chunked layer without a valid footer", what)


def skippable_frame(content: bytes) -> bytes:
    """Return a frame that every zstd decompressor skips: RFC 8878, section 3.1.2."""
    return SKIPPABLE + struct.pack("<I", len(content)) + content
