"""Decompression by what the data is, not by what it is called.

gzip by ISA-L (about 550 MB/s a core where zlib does 250), zstd by libzstd, xz and bzip2 by the
standard library. All of them release the GIL. Concatenated gzip members and zstd frames are one
stream, as gzip(1), zstd(1) and the registries' indexed layers have it. Data that ends early or goes
on with garbage is an error; libzstd's readers do not notice the former: see `zstd_frames`.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import BinaryIO, cast

from rootless.errors import IntegrityError
from rootless.image import zstd_frames
from rootless.image.byte_stream import ByteStream, Prefixed, read_up_to

MAGIC_BYTES = 6
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
    if magic.startswith(b"BZh"):
        return "bzip2"
    return ""


@contextmanager
def opened(raw: ByteStream, what: str) -> Iterator[ByteStream]:
    """Give the decompressed stream of *raw*; errors of the data name *what* it is.

    Raises:
        IntegrityError: The data is damaged, ends early, or goes on with something else.
    """
    magic = read_up_to(raw, MAGIC_BYTES)
    name = compression_of(magic)
    try:
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

    del what
    return lzma.LZMAFile(cast("BinaryIO", raw))


def _open_bzip2(raw: ByteStream, what: str) -> ByteStream:
    import bz2  # noqa: PLC0415

    del what
    return bz2.BZ2File(cast("BinaryIO", raw))


_OPENERS: dict[str, Callable[[ByteStream, str], ByteStream]] = {
    "": _open_plain,
    "gzip": _open_gzip,
    "zstd": _open_zstd,
    "xz": _open_xz,
    "bzip2": _open_bzip2,
}
