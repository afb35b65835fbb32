"""/etc/ld.so.cache, read and written: how a dynamic loader finds libraries (ldconfig(8)).

With a file of ours in its place the image's loader finds libraries that were brought along, as if
ldconfig had been run inside: nothing of the image is run for it, and a read-only root will do. The
format is that of glibc's dl-cache.h, "glibc-ld.so.cache1.1", which an older one may precede. Its
entries are sorted downwards by a comparison that takes digits as numbers; the first that fits wins.
"""

import re
import struct
from collections.abc import Iterable
from dataclasses import dataclass

_OLD = b"ld.so-1.7.0"
_MAGIC = b"glibc-ld.so.cache1.1"
_HEADER = struct.Struct("<20sIIB3xI12x")
_ENTRY = struct.Struct("<iIIIQ")
_OLD_HEAD, _OLD_ENTRY = 16, 12
_LITTLE_ENDIAN = 2
_EXTENSION = 1 << 62
_MOST_ENTRIES = 1 << 18
_WORDS = re.compile(rb"([0-9]+)|(.)", re.DOTALL)

LIBC = b"libc.so.6"
"""Who says which flags the image's own libraries have."""


@dataclass(frozen=True, slots=True)
class Library:
    """One entry: a soname, where it is, and for which processors."""

    name: bytes
    path: bytes
    flags: int
    hwcap: int = 0


def read(data: bytes) -> list[Library]:
    """Return the entries in their order; raises ValueError for what is no such file."""
    start = 0
    if data.startswith(_OLD):
        (count,) = struct.unpack_from("<I", data, 12)
        start = (_OLD_HEAD + _OLD_ENTRY * count + 7) & ~7
    try:
        magic, count, _, _, _ = _HEADER.unpack_from(data, start)
    except struct.error as error:
        raise ValueError("the file is too short") from error
    if magic != _MAGIC or count > _MOST_ENTRIES:
        raise ValueError("not a loader's cache")
    found = []
    for number in range(count):
        try:
            entry = _ENTRY.unpack_from(data, start + _HEADER.size + number * _ENTRY.size)
        except struct.error as error:
            raise ValueError("the file is too short") from error
        flags, key, value, _, hwcap = entry
        found.append(Library(_text(data, start + key), _text(data, start + value), flags, hwcap))
    return found


def _text(data: bytes, start: int) -> bytes:
    end = data.find(b"\0", start)
    if not 0 <= start < len(data) or end < 0:
        raise ValueError("a name lies outside of the file")
    return data[start:end]


def write(libraries: Iterable[Library]) -> bytes:
    """Return a file of these entries, in the loader's order."""
    entries = sorted(libraries, key=lambda each: order(each.name), reverse=True)
    strings, places = bytearray(), {}
    base = _HEADER.size + len(entries) * _ENTRY.size
    for text in dict.fromkeys(part for each in entries for part in (each.name, each.path)):
        places[text] = base + len(strings)
        strings += text + b"\0"
    head = _HEADER.pack(_MAGIC, len(entries), len(strings), _LITTLE_ENDIAN, 0)
    rows = (_ENTRY.pack(e.flags, places[e.name], places[e.path], 0, e.hwcap) for e in entries)
    return head + b"".join(rows) + bytes(strings)


def order(name: bytes) -> tuple[tuple[int, int], ...]:
    """Return a name's rank as glibc has it: digits as one number, which is above any letter."""
    return tuple(
        (1, int(number)) if number else (0, letter[0])
        for number, letter in (match.groups() for match in _WORDS.finditer(name))
    )


def with_libraries(data: bytes, added: Iterable[tuple[str, str]]) -> bytes | None:
    """Return a cache with more libraries, (soname, path) each, which win over those of the image.

    None where the image's is not to be understood, or says nothing of a C library. What glibc keeps
    in variants for processors is left out: the plain one is found.
    """
    try:
        known = read(data)
    except (ValueError, struct.error):
        return None
    flags = next((each.flags for each in known if each.name == LIBC), None)
    if flags is None:
        return None
    ours = [Library(name.encode(), path.encode(), flags) for name, path in added]
    kept = [each for each in known if not each.hwcap & _EXTENSION]
    return write([*ours, *kept])
