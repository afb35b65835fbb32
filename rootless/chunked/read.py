"""The TOC of a blob: found, fetched, checked against its digest, parsed."""

from collections.abc import Awaitable, Callable

from rootless.chunked import footer
from rootless.chunked.decode import inflate
from rootless.chunked.parse import parse_toc
from rootless.chunked.place import TocPlace
from rootless.chunked.toc import Codec, Kind, Toc
from rootless.errors import IntegrityError
from rootless.image.layers import Entry, TarFormatError, TarReader
from rootless.oci.digest import sha256_of

ReadRange = Callable[[int, int], Awaitable[bytes]]
"""Reads bytes of the blob: offset and length in, as many bytes out, or an error of its own."""

TOC_NAME = b"stargz.index.json"

_STORED_MAX = 64 << 20
_SIZE_MAX = 128 << 20
_TAIL = 64 << 10  # most TOCs are here, which saves asking twice


async def read_toc(
    place: TocPlace, blob_size: int, read_range: ReadRange, what: str = "layer"
) -> Toc:
    """Return a blob's TOC.

    Args:
        place: What `find_toc` found in the layer's descriptor.
        blob_size: Size of the blob.
        read_range: Reads bytes of it.
        what: The layer, for messages.

    Raises:
        IntegrityError: It is not there, not the one whose digest was given, or something in it is
            wrong.
    """
    if place.kind is Kind.ESTARGZ:
        stored, offset = await _estargz(blob_size, read_range, what)
        data = _json_of_tar(inflate(Codec.GZIP, stored, _SIZE_MAX + 1, what), what)
        contents_end = offset
    else:
        stored, offset = await _zstd_chunked(place, blob_size, read_range, what)
        if place.is_compressed_digest:
            _check_digest(stored, place, what)
        data = inflate(Codec.ZSTD, stored, _SIZE_MAX + 1, what)
        contents_end = offset - footer.SKIPPABLE_HEADER
    if len(data) > _SIZE_MAX:
        raise IntegrityError("table of contents is too large", f"{what}: more than 128 MiB")
    if not place.is_compressed_digest:
        _check_digest(data, place, what)
    return parse_toc(data, place, contents_end, what)


async def _estargz(blob_size: int, read_range: ReadRange, what: str) -> tuple[bytes, int]:
    """Return the gzip member that has the TOC, and where it begins."""
    tail = await _tail(blob_size, _TAIL, read_range)
    offset, footer_size = footer.parse_estargz(tail, what)
    length = blob_size - footer_size - offset
    _check_range(offset, length, blob_size, what)
    begin = len(tail) - footer_size - length
    if begin >= 0:
        return tail[begin : begin + length], offset
    return await read_range(offset, length), offset


async def _zstd_chunked(
    place: TocPlace, blob_size: int, read_range: ReadRange, what: str
) -> tuple[bytes, int]:
    """Return the compressed TOC, and where it lies."""
    offset, length = place.offset, place.stored
    if not length:
        tail = await _tail(blob_size, footer.TAIL_BYTES, read_range)
        offset, length = footer.parse_zstd(tail, what)
    if offset < footer.SKIPPABLE_HEADER:
        raise _outside(what)
    _check_range(offset, length, blob_size, what)
    return await read_range(offset, length), offset


async def _tail(blob_size: int, size: int, read_range: ReadRange) -> bytes:
    size = min(blob_size, size)
    return await read_range(blob_size - size, size) if size else b""


def _check_range(offset: int, length: int, blob_size: int, what: str) -> None:
    if not (0 <= offset < blob_size and 0 < length <= blob_size - offset):
        raise _outside(what)
    if length > _STORED_MAX:
        raise IntegrityError("table of contents is too large", f"{what}: {length} bytes")


def _outside(what: str) -> IntegrityError:
    return IntegrityError("table of contents lies outside of the layer", what)


def _json_of_tar(tar: bytes, what: str) -> bytes:
    """Return the contents of the only file of a tar, which is the TOC."""
    found: list[Entry] = []
    try:
        reader = TarReader(lambda entry, _, __: found.append(entry))
        reader.feed(tar)
        reader.finish()
    except TarFormatError as error:
        raise IntegrityError("table of contents is damaged", f"{what}: {error}") from None
    if len(found) != 1 or found[0].path != TOC_NAME:
        raise IntegrityError("table of contents is missing", what)
    return tar[found[0].offset : found[0].offset + found[0].size]


def _check_digest(data: bytes, place: TocPlace, what: str) -> None:
    digest = sha256_of(data)
    if digest != place.digest:
        fix = f"the manifest says {place.digest}, it is {digest}"
        raise IntegrityError("wrong digest of a table of contents", what, fix)
