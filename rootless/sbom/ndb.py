"""The packages of rpm's own database (ndb), as SUSE uses it: `Packages.db`.

Source: rpm's lib/backend/ndb/rpmpkg.c: a header, slots of 16 bytes that say where blobs lie, in
blocks of 16 bytes, and the blobs, each between a head and a tail. Numbers are little-endian.

The file may be anybody's: every offset is checked, and no more bytes are returned than it has.
"""

import struct
from collections.abc import Iterator

_MAGIC, _SLOT, _BLOB = b"RpmP", b"Slot", b"BlbS"
_HEADER, _BLOCK, _PAGE = 32, 16, 4096


def values(database: bytes) -> Iterator[bytes]:
    """Yield the blobs in the order of their slots; raises struct.error where it is damaged."""
    magic, version, _, slot_pages = struct.unpack_from("<4sIII", database)
    if magic != _MAGIC or version != 0 or slot_pages * _PAGE > len(database):
        raise struct.error("no database of rpm's")
    left = len(database)
    for at in range(_HEADER, slot_pages * _PAGE, _BLOCK):
        slot, package, offset, blocks = struct.unpack_from("<4sIII", database, at)
        if slot != _SLOT:
            raise struct.error("a slot that is none")
        if not offset:
            continue
        head, its_package, _, length = struct.unpack_from("<4sIII", database, offset * _BLOCK)
        if head != _BLOB or its_package != package or length > blocks * _BLOCK:
            raise struct.error("a blob that is another's")
        start = offset * _BLOCK + _BLOCK
        left -= length
        if left < 0 or start + length > len(database):
            raise struct.error("a blob that is longer than the file")
        yield database[start : start + length]
