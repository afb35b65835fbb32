"""Decompression by what the data is, not by what it is called.

gzip by ISA-L (about 550 MB/s a core where zlib does 250), zstd by libzstd, xz and bzip2 by the
standard library. All of them release the GIL. Concatenated gzip members, zstd frames and the like
are one stream, as gzip(1), zstd(1) and the registries' indexed layers have it; zeros after them are
padding, but for zstd. Data that ends early or goes on with garbage is an error; libzstd's readers
do not notice the former (see `zstd_frames`), the files of `bz2` and `lzma` end at the latter, and
lose the streams that follow padding.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, BinaryIO, Protocol, cast

from rootless.errors import IntegrityError
from rootless.image import inflate, zstd_frames
from rootless.image.byte_stream import ByteStream, Prefixed, Source, read_up_to
from rootless.image.seek_points import SeekPointStream

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

    from rootless.image.layers import ChunkTableWriter

MAGIC_BYTES = 10
# with the first block's mark, or the end's: a tar's first name may well begin with "BZh"
_BZIP2 = re.compile(rb"BZh[1-9](?:1AY&SY|\x17rE8P\x90)")
_BUFFER = 256 << 10
# zstd refuses frames that want more memory than this; `zstd --ultra -22` makes 128 MiB
_MAX_WINDOW = 128 << 20


def compression_of(magic: bytes) -> str:
    """Return "gzip", "zstd", "xz", "bzip2" or "" for the first bytes of a stream."""
    if magic.startswith(b"\x1f\x8b"):
        return "gzip"
    number = int.from_bytes(magic[:4], "little")
    if number == zstd_frames.MAGIC or zstd_frames.is_skippable(number):
        return "zstd"
    if magic.startswith(b"\xfd7zXZ\x00"):
        return "xz"
    if _BZIP2.match(magic):
        return "bzip2"
    return ""


@contextmanager
def opened(
    raw: ByteStream, what: str, points: "ChunkTableWriter | None" = None
) -> Iterator[ByteStream]:
    """Give the decompressed stream of *raw*; errors of the data name *what* it is.

    With *points*, gzip data leaves its seek points there, as far as the system can.

    Raises:
        IntegrityError: The data is damaged, ends early, or goes on with something else.
    """
    magic = read_up_to(raw, MAGIC_BYTES)
    name = compression_of(magic)
    try:
        if points is not None and name == "gzip" and inflate.available():
            yield SeekPointStream(Prefixed(magic, raw), what, points)
        else:
            yield _OPENERS[name](Prefixed(magic, raw), what)
    except EOFError as error:
        raise IntegrityError(f"{name} data ends early", what, "fetch it again") from error
    except OSError as error:
        if error.errno is not None:  # the kernel's, not the decompressor's
            raise
        if "Not a gzipped file" in str(error):
            raise IntegrityError("garbage after the gzip data", what) from error
        raise IntegrityError(f"{name} data is damaged", f"{what}: {error}") from error
    except Exception as error:
        if type(error).__name__ in _DECOMPRESSOR_ERRORS:
            raise IntegrityError(f"{name} data is damaged", f"{what}: {error}") from error
        raise


# By name, so that the libraries that a stream does not need are not imported for their errors.
_DECOMPRESSOR_ERRORS = frozenset({"IsalError", "ZstdError", "LZMAError"})


def _open_plain(raw: ByteStream, what: str) -> ByteStream:
    del what
    return raw


def _open_gzip(raw: ByteStream, what: str) -> ByteStream:
    from isal import igzip  # noqa: PLC0415 - only who decompresses pays for it

    del what
    open_gzip: Callable[..., ByteStream] = igzip.IGzipFile
    return open_gzip(fileobj=raw, mode="rb")


def _open_zstd(raw: ByteStream, what: str) -> ByteStream:
    import zstandard  # noqa: PLC0415

    reader = zstandard.ZstdDecompressor(max_window_size=_MAX_WINDOW).stream_reader(
        cast("BinaryIO", zstd_frames.FrameReader(raw, what)),
        read_size=_BUFFER,
        read_across_frames=True,
    )
    return cast("ByteStream", reader)


def _open_xz(raw: ByteStream, what: str) -> ByteStream:
    import lzma  # noqa: PLC0415

    return _Streams(raw, what, "xz", lambda: lzma.LZMADecompressor(lzma.FORMAT_XZ))


def _open_bzip2(raw: ByteStream, what: str) -> ByteStream:
    import bz2  # noqa: PLC0415

    return _Streams(raw, what, "bzip2", bz2.BZ2Decompressor)


class _Decompressor(Protocol):
    """What `bz2` and `lzma` have in common: one stream, from its first byte to its last."""

    @property
    def eof(self) -> bool: ...

    @property
    def needs_input(self) -> bool: ...

    @property
    def unused_data(self) -> bytes: ...

    def decompress(self, data: bytes, max_length: int = -1) -> bytes: ...


class _Streams(Source):
    """Streams of one format one after the other, and padding, until the end of the data."""

    def __init__(
        self, raw: ByteStream, what: str, name: str, begin: Callable[[], _Decompressor]
    ) -> None:
        super().__init__()
        self._raw = raw
        self._what = what
        self._name = name
        self._begin = begin
        self._decompressor = begin()
        self._ahead = b""  # read and not yet given to the decompressor

    def readinto(self, buffer: "WriteableBuffer") -> int:
        """Decompress up to as much as there is room for."""
        view = memoryview(buffer)
        while view:
            if self._decompressor.eof and not self._next():
                break
            data, self._ahead = self._ahead, b""
            if not data and self._decompressor.needs_input:
                data = self._raw.read(_BUFFER) or b""
                if not data:
                    raise EOFError
            content = self._decompressor.decompress(data, len(view))
            if content:
                view[: len(content)] = content
                return len(content)
        return 0

    def _next(self) -> bool:
        """Begin the stream that follows; return whether there is one."""
        rest = self._decompressor.unused_data.lstrip(b"\0")
        while not rest:
            padding = self._raw.read(_BUFFER)
            if not padding:
                return False
            rest = padding.lstrip(b"\0")
        rest += read_up_to(self._raw, max(0, MAGIC_BYTES - len(rest)))
        if compression_of(rest) != self._name:
            raise IntegrityError(f"garbage after the {self._name} data", self._what)
        self._decompressor = self._begin()
        self._ahead = rest
        return True


_OPENERS: dict[str, Callable[[ByteStream, str], ByteStream]] = {
    "": _open_plain,
    "gzip": _open_gzip,
    "zstd": _open_zstd,
    "xz": _open_xz,
    "bzip2": _open_bzip2,
}
