"""The values of a Berkeley DB hash database, as rpm kept its packages in until 2020.

Source: the page layout of Berkeley DB 4 and 5 (dbinc/db_page.h): a page for the hash's metadata,
pages of items, whose values are there or in chains of overflow pages. Numbers are in the byte order
of the machine that wrote them.

The file may be anybody's: nothing is run, every offset is checked, and no more bytes are returned
than the file has, so that no chain is followed twice.
"""

import struct
from collections.abc import Iterator

_MAGIC = 0x061561
_META, _HASH, _HASH_UNSORTED, _OVERFLOW = 8, 13, 2, 7  # types of pages
_HERE, _ELSEWHERE = 1, 3  # types of items
_PAGE_HEADER = 26
_SMALLEST, _LARGEST = 512, 65536
_CHECKSUMS = 1


def values(database: bytes) -> Iterator[bytes]:
    """Yield the values, in the order of their pages; raises struct.error where it is damaged."""
    order = "<" if database[12:16] == _MAGIC.to_bytes(4, "little") else ">"
    magic, _, page_size, encryption, kind, flags = struct.unpack_from(
        f"{order}IIIBBB", database, 12
    )
    if magic != _MAGIC or kind != _META or not _SMALLEST <= page_size <= _LARGEST:
        raise struct.error("no hash database")
    if encryption or flags & _CHECKSUMS:
        raise struct.error("encrypted, or with checksums")
    yield from _Pages(database, page_size, order).values()


class _Pages:
    """The pages of a database."""

    def __init__(self, database: bytes, page_size: int, order: str) -> None:
        self._database = database
        self._page_size = page_size
        self._order = order
        self._left = len(database)

    def values(self) -> Iterator[bytes]:
        for start in range(self._page_size, len(self._database), self._page_size):
            _, _, entries, _, kind = self._header(start)
            if kind not in (_HASH, _HASH_UNSORTED):
                continue
            offsets = struct.unpack_from(f"{self._order}{entries}H", self._database, start + 26)
            for number in range(1, len(offsets), 2):  # keys come first
                yield self._value(start, offsets[number], offsets[number - 1])

    def _value(self, start: int, offset: int, end: int) -> bytes:
        """Return an item's value; items lie from the page's end to its front."""
        if not _PAGE_HEADER <= offset < end <= self._page_size:
            raise struct.error("an item outside of its page")
        kind = self._database[start + offset]
        if kind == _HERE:
            return self._taken(self._database[start + offset + 1 : start + end])
        if kind != _ELSEWHERE:
            raise struct.error("an item of another kind")
        page, length = struct.unpack_from(f"{self._order}II", self._database, start + offset + 4)
        return self._chain(page, length)

    def _chain(self, page: int, length: int) -> bytes:
        """Return what lies in a chain of pages."""
        if length > self._left:
            raise struct.error("a value that is longer than the file")
        found: list[bytes] = []
        have = 0
        while have < length:
            start = page * self._page_size
            _, page, _, used, kind = self._header(start)
            if kind != _OVERFLOW or not 0 < used <= self._page_size - _PAGE_HEADER:
                raise struct.error("a chain that is broken")
            piece = self._database[start + _PAGE_HEADER : start + _PAGE_HEADER + used]
            have += used
            found.append(piece)
        return self._taken(b"".join(found)[:length])

    def _taken(self, value: bytes) -> bytes:
        self._left -= len(value)
        if self._left < 0:
            raise struct.error("more values than the file has room for")
        return value

    def _header(self, start: int) -> tuple[int, int, int, int, int]:
        """Return a page's predecessor, successor, number of items, use, and type."""
        before, after, entries, used, kind = struct.unpack_from(
            f"{self._order}IIHHxB", self._database, start + 12
        )
        return before, after, entries, used, kind
