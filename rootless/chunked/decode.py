"""The bytes of a chunk out of those of the blob, checked."""

import hashlib
from typing import Any

from rootless.chunked.toc import Chunk, Codec
from rootless.errors import IntegrityError

# zstd refuses frames that want more memory than this
_MAX_WINDOW = 128 << 20


def decode(chunk: Chunk, stored: bytes | memoryview, what: str = "layer") -> bytes:
    """Return a chunk's bytes.

    Args:
        chunk: The chunk; one of zeros has nothing to decode and is not for here.
        stored: `chunk.stored` bytes of the blob, from `chunk.place` on.
        what: The layer or the file, for messages.

    Raises:
        IntegrityError: They are damaged, too few, or not what the TOC says.
    """
    at = f"{what}, byte {chunk.place} of the layer"
    decoded = inflate(chunk.codec, stored, chunk.inner + chunk.size, at)
    content = decoded[chunk.inner :] if chunk.inner else decoded
    if len(content) != chunk.size:
        raise IntegrityError("chunk ends early", at)
    if hashlib.sha256(content).digest() != chunk.digest:
        raise IntegrityError("wrong digest of a chunk", at)
    return content


def inflate(codec: Codec, stored: bytes | memoryview, size: int, what: str) -> bytes:
    """Return the first *size* bytes of a member or frame, fewer where it ends before.

    Raises:
        IntegrityError: It is damaged.
    """
    try:
        return _DECODERS[codec](stored, size)
    except Exception as error:
        # by name: the library that is not needed here is not imported for its errors
        if type(error).__name__ in ("IsalError", "ZstdError", "error"):
            raise IntegrityError(f"{codec.value} data is damaged", f"{what}: {error}") from error
        raise


def _gzip(stored: bytes | memoryview, size: int) -> bytes:
    from isal import isal_zlib  # noqa: PLC0415 - only who decompresses pays for it

    decompressor: Any = isal_zlib.decompressobj(wbits=31)
    content: bytes = decompressor.decompress(stored, size)
    return content


def _zstd(stored: bytes | memoryview, size: int) -> bytes:
    import zstandard  # noqa: PLC0415

    decompressor = zstandard.ZstdDecompressor(max_window_size=_MAX_WINDOW)
    parts = []
    with decompressor.stream_reader(stored) as reader:
        while size > 0 and (part := reader.read(size)):
            parts.append(part)
            size -= len(part)
    return parts[0] if len(parts) == 1 else b"".join(parts)


_DECODERS = {Codec.GZIP: _gzip, Codec.ZSTD: _zstd}
