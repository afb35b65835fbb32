"""zlib's inflate(3), stopped where a block of deflate ends: what Python's `zlib` does not offer.

Only at the end of a block can decoding begin anew, given the 32 KiB before it. The system's libz is
called by ctypes, as every build of Python has one beside it; where there is none, `available` says
so. Sources: zlib.h, and zran.c of zlib's examples for what the bits mean.
"""

import ctypes
from typing import Final, NamedTuple

from rootless.errors import IntegrityError

_GZIP: Final = 31
_BLOCK: Final = 5
_STREAM_END: Final = 1
_BUF_ERROR: Final = -5
_OUT_BYTES: Final = 128 << 10

# Bits of z_stream.data_type after inflate(Z_BLOCK)
_UNUSED_BITS: Final = 0x07
_IS_LAST: Final = 0x40
_IS_AT_BLOCK: Final = 0x80


class _Stream(ctypes.Structure):
    """struct z_stream_s."""

    _fields_ = (
        ("next_in", ctypes.c_void_p),
        ("avail_in", ctypes.c_uint),
        ("total_in", ctypes.c_ulong),
        ("next_out", ctypes.c_void_p),
        ("avail_out", ctypes.c_uint),
        ("total_out", ctypes.c_ulong),
        ("msg", ctypes.c_char_p),
        ("state", ctypes.c_void_p),
        ("zalloc", ctypes.c_void_p),
        ("zfree", ctypes.c_void_p),
        ("opaque", ctypes.c_void_p),
        ("data_type", ctypes.c_int),
        ("adler", ctypes.c_ulong),
        ("reserved", ctypes.c_ulong),
    )


class Step(NamedTuple):
    """What one step has brought.

    Attributes:
        contents: What was decoded.
        used: So many bytes of the input.
        unused_bits: How many high bits of the last byte used belong to the next block.
        is_block: The next block of the member begins here.
        is_end: The member has ended here.
    """

    contents: bytes
    used: int
    unused_bits: int
    is_block: bool
    is_end: bool


def available() -> bool:
    """Return whether there is a libz to call."""
    return _library() is not None


class Inflater:
    """Decodes members of gzip's format, one after the other; a context manager.

    Args:
        what: What is decoded, for messages.
    """

    def __init__(self, what: str) -> None:
        library = _library()
        if library is None:
            raise OSError(0, "libz.so.1 is missing")
        self._libz = library
        self._what = what
        self._stream = _Stream()
        self._out = ctypes.create_string_buffer(_OUT_BYTES)
        self._is_open = False
        version = library.zlibVersion()
        size = ctypes.sizeof(_Stream)
        if library.inflateInit2_(ctypes.byref(self._stream), _GZIP, version, size) != 0:
            raise MemoryError
        self._is_open = True

    def step(self, data: bytes, at: int) -> Step:
        """Decode from an offset of some input on; raises IntegrityError.

        Call it again with what it has not used, and more, until `is_end`; then with the next
        member's first byte.
        """
        stream = self._stream
        address = ctypes.cast(ctypes.c_char_p(data), ctypes.c_void_p).value or 0
        stream.next_in, stream.avail_in = address + at, len(data) - at
        stream.next_out, stream.avail_out = ctypes.addressof(self._out), _OUT_BYTES
        status = self._libz.inflate(ctypes.byref(stream), _BLOCK)
        if status not in (0, _STREAM_END, _BUF_ERROR):
            said = (stream.msg or b"").decode() or f"status {status}"
            raise IntegrityError("gzip data is damaged", f"{self._what}: {said}")
        contents = ctypes.string_at(self._out, _OUT_BYTES - stream.avail_out)
        used = len(data) - at - stream.avail_in
        is_end = status == _STREAM_END
        if is_end:
            self._libz.inflateReset(ctypes.byref(stream))
        kind = stream.data_type
        is_block = bool(kind & _IS_AT_BLOCK) and not kind & _IS_LAST and not is_end
        return Step(contents, used, kind & _UNUSED_BITS, is_block, is_end)

    def close(self) -> None:
        """Give its memory back; harmless when repeated."""
        if self._is_open:
            self._libz.inflateEnd(ctypes.byref(self._stream))
            self._is_open = False


_found: list[ctypes.CDLL | None] = []


def _library() -> ctypes.CDLL | None:
    if not _found:
        try:
            library = ctypes.CDLL("libz.so.1")
            library.zlibVersion.restype = ctypes.c_char_p
            library.inflateInit2_.argtypes = (
                ctypes.c_void_p,
                ctypes.c_int,
                ctypes.c_char_p,
                ctypes.c_int,
            )
            for name in ("inflateEnd", "inflateReset"):
                getattr(library, name).argtypes = (ctypes.c_void_p,)
            library.inflate.argtypes = (ctypes.c_void_p, ctypes.c_int)
            _found.append(library)
        except (OSError, AttributeError):
            _found.append(None)
    return _found[0]
