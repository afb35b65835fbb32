"""Extended attributes of squashfs: sets of names and values, which inodes share."""

import struct

from rootless.squashfs.metadata import Metadata
from rootless.squashfs.superblock import NONE, Superblock
from rootless.squashfs.window import Window

_TABLE = struct.Struct("<QII")
_SET = struct.Struct("<QII")
_NAME = struct.Struct("<HH")
_VALUE = struct.Struct("<I")
_PREFIXES = {0: b"user.", 1: b"trusted.", 2: b"security."}
_ELSEWHERE = 0x100
_NAME_MAX, _VALUE_MAX = 255, 64 << 10  # XATTR_NAME_MAX and XATTR_SIZE_MAX
_SET_MAX = 1 << 20


class XattrTable:
    """Reads the sets of an image.

    Args:
        metadata: Its metadata.
        superblock: Its superblock.
        window: The image.
    """

    def __init__(self, metadata: Metadata, superblock: Superblock, window: Window) -> None:
        self._metadata = metadata
        self._window = window
        self._sets = b""
        self._start = 0
        place = superblock.xattr_table
        if place != NONE:
            self._start, count, _ = _TABLE.unpack(window.read(place, _TABLE.size))
            if count * _SET.size > window.size:
                raise window.damaged(f"{count} sets of extended attributes")
            self._sets = metadata.table(place + _TABLE.size, count, _SET.size)
        self._known: dict[int, dict[bytes, bytes]] = {}

    def read(self, number: int) -> dict[bytes, bytes]:
        """Return a set; raises IntegrityError."""
        known = self._known.get(number)
        if known is not None:
            return known
        at = number * _SET.size
        if at + _SET.size > len(self._sets):
            raise self._window.damaged(f"no extended attributes of number {number}")
        place, count, size = _SET.unpack_from(self._sets, at)
        if size > _SET_MAX or count > _SET_MAX // 4:
            raise self._window.damaged(f"extended attributes of {size} bytes")
        found = self._set(place, count)
        if len(self._known) >= 1024:  # many images have one, for each label another
            self._known.clear()
        self._known[number] = found
        return found

    def _set(self, place: int, count: int) -> dict[bytes, bytes]:
        cursor = self._metadata.cursor(self._start + (place >> 16), place & 0xFFFF)
        found: dict[bytes, bytes] = {}
        total = 0
        for _ in range(count):
            kind, length = _NAME.unpack(cursor.read(_NAME.size))
            prefix = _PREFIXES.get(kind & 0xFF)
            if prefix is None or length > _NAME_MAX:
                raise self._window.damaged(f"an extended attribute of type {kind}")
            name = prefix + cursor.read(length)
            value = cursor.read(self._size(cursor.read(_VALUE.size)))
            if kind & _ELSEWHERE:
                place = int.from_bytes(value[:8], "little")
                there = self._metadata.cursor(self._start + (place >> 16), place & 0xFFFF)
                value = there.read(self._size(there.read(_VALUE.size)))
            total += len(name) + len(value)
            if total > _SET_MAX or b"\0" in name:
                raise self._window.damaged("extended attributes are too large")
            found[name] = value
        return found

    def _size(self, data: bytes) -> int:
        size: int = _VALUE.unpack(data)[0]
        if size > _VALUE_MAX:
            raise self._window.damaged(f"an extended attribute of {size} bytes")
        return size
