"""The name by which programs are linked with a shared library: DT_SONAME of elf(5), 64-bit."""

import os
import struct

_IDENT = b"\x7fELF\x02"  # of 64 bits
_LITTLE, _BIG = 1, 2
_MOST_HEADERS = 512
_MOST_DYNAMIC = 1 << 16
_PT_LOAD, _PT_DYNAMIC = 1, 2
_DT_NULL, _DT_STRTAB, _DT_SONAME = 0, 5, 14


def soname(path: str) -> str:
    """Return the library's own name; "" for what has none, or is no such library."""
    try:
        with open(path, "rb") as file:
            return _soname(file.fileno())
    except (OSError, struct.error, ValueError, KeyError, StopIteration, OverflowError):
        return ""


def _soname(fd: int) -> str:
    head = os.pread(fd, 64, 0)
    if not head.startswith(_IDENT) or head[5] not in (_LITTLE, _BIG):
        return ""
    order = "<" if head[5] == _LITTLE else ">"
    (offset,) = struct.unpack_from(f"{order}Q", head, 32)
    size, count = struct.unpack_from(f"{order}HH", head, 54)
    headers = []
    for number in range(min(count, _MOST_HEADERS)):
        data = os.pread(fd, 56, offset + number * size)
        kind, _flags, at, address, _physical, length = struct.unpack_from(f"{order}IIQQQQ", data)
        headers.append((kind, at, address, length))
    _, at, _, length = next(header for header in headers if header[0] == _PT_DYNAMIC)
    data = os.pread(fd, min(length, _MOST_DYNAMIC), at)
    found = {}
    for tag, value in struct.iter_unpack(f"{order}qQ", data[: len(data) // 16 * 16]):
        if tag == _DT_NULL:
            break
        found[tag] = value
    strings = found[_DT_STRTAB]
    for kind, at, address, length in headers:
        if kind == _PT_LOAD and address <= strings < address + length:
            text = os.pread(fd, 256, at + strings - address + found[_DT_SONAME])
            return text.partition(b"\0")[0].decode("ascii")
    return ""
