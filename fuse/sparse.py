"""Maps of sparse files: the old GNU format and GNU's PAX formats 0.0, 0.1 and 1.0.

Source: GNU tar manual, "Storing Sparse Files". A map is pairs of offset and length; the pieces lie
one behind the other in the archive. Every function raises ValueError with the reason.
"""

from collections.abc import Sequence

from .entry import Extent

OLD_HEADER_PAIRS = 4
OLD_EXTENSION_PAIRS = 21


def extents(pairs: Sequence[int], real_size: int, stored_size: int, start: int) -> list[Extent]:
    """Return where each piece lies, given the map and the offset of the first one in the tar.

    Args:
        pairs: Offset and length of each piece, flat, in ascending order.
        real_size: Length of the file with its holes.
        stored_size: How many bytes the archive has of it.
        start: Offset of the first piece in the tar.
    """
    if len(pairs) % 2:
        raise ValueError("sparse map with half a pair")
    pieces = []
    end, stored = 0, 0
    for offset, length in zip(pairs[::2], pairs[1::2], strict=True):
        if offset < end or length < 0 or offset + length > real_size:
            raise ValueError("sparse map out of order or beyond the file's end")
        if length:
            pieces.append((offset, length, start + stored))
        end, stored = offset + length, stored + length
    if stored != stored_size:
        raise ValueError("sparse map that does not fit what is stored")
    return pieces


def parse_map_record(value: bytes) -> list[int]:
    """Return the pairs of a `GNU.sparse.map` record (format 0.1)."""
    return [_decimal(each) for each in value.split(b",")] if value else []


class MapBlocks:
    """Reads the map that begins a file's contents in format 1.0, block by block."""

    def __init__(self) -> None:
        self._text = b""
        self._numbers: list[int] = []

    def feed(self, block: bytes) -> bool:
        """Take one block; returns whether more are needed."""
        *lines, self._text = (self._text + block).split(b"\n")
        for line in lines:
            if self._numbers and len(self._numbers) > 2 * self._numbers[0]:
                break
            self._numbers.append(_decimal(line))
        return not self._numbers or len(self._numbers) <= 2 * self._numbers[0]

    @property
    def pairs(self) -> list[int]:
        """Offset and length of each piece, flat."""
        return self._numbers[1 : 1 + 2 * self._numbers[0]]


def _decimal(text: bytes) -> int:
    if not text.isdigit() or len(text) > 20:
        raise ValueError("sparse map with something that is no number")
    return int(text)
