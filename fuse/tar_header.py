"""The fields of one tar header block, and the checks on names that come from it.

Sources: POSIX.1-2017 pax, "ustar Interchange Format"; GNU tar's manual for base-256 numbers. Every
function raises ValueError with the reason; the reader adds where.
"""

import os
import struct
from typing import Final
from zlib import adler32

BLOCK: Final = 512
SIZE_MAX: Final = (1 << 63) - 1 - BLOCK

# name, mode + uid + gid, size, mtime, checksum, type, link name, magic, major, minor, prefix, tail
Fields = tuple[bytes, bytes, bytes, bytes, bytes, bytes, bytes, bytes, bytes, bytes, bytes, bytes]
_FIELDS = struct.Struct("100s24s12s12s8sc100s8s64x8s8s155s12s")

_NAME_MAX = 255
_PATH_MAX = 4096
_ID_MAX = (1 << 32) - 2  # -1 is "no change" to chown(2)
_MAJOR_MAX, _MINOR_MAX = (1 << 12) - 1, (1 << 20) - 1  # what Linux encodes in 32 bits


def parse_fields(block: bytes) -> Fields:
    """Return the header's raw fields once its checksum is right.

    The checksum is the sum of the bytes, its own field being spaces. Adler-32's low half is 1 + the
    sum of the bytes modulo 65521, at a quarter of the price of `sum`.
    """
    fields: Fields = _FIELDS.unpack_from(block)
    field = fields[4]
    expected = parse_number(field)
    if ((adler32(block) & 0xFFFF) - 1 - expected - sum(field) + 8 * 0x20) % 65521 == 0:
        return fields
    # Old Suns added the bytes as signed ones.
    signed = sum(struct.unpack("512b", block)) - sum(struct.unpack("8b", field)) + 8 * 0x20
    if signed != expected:
        raise ValueError("wrong checksum of a tar header")
    return fields


def parse_number(field: bytes) -> int:
    """Return a numeric field: octal digits, or base-256 with the top bit set."""
    try:
        return int(field.rstrip(b"\0 ") or b"0", 8)
    except ValueError:
        pass
    if field[0] & 0x80:
        # The top bit is the mark; the one below it the sign.
        value = int.from_bytes(field, "big") & ((1 << (8 * len(field) - 1)) - 1)
        return value - (1 << (8 * len(field) - 1)) if field[0] & 0x40 else value
    try:
        return int(until_nul(field).strip() or b"0", 8)
    except ValueError:
        raise ValueError("a number in a tar header that is none") from None


def parse_owner(field: bytes) -> tuple[int, int, int]:
    """Return permissions, UID and GID out of their three adjacent fields."""
    mode, uid, gid = parse_number(field[:8]), parse_number(field[8:16]), parse_number(field[16:])
    return mode & 0o7777, checked_id(uid), checked_id(gid)


def checked_id(number: int) -> int:
    """Return a UID or GID that Linux can hold."""
    if not 0 <= number <= _ID_MAX:
        raise ValueError(f"an owner's ID of {number}, which Linux cannot hold")
    return number


def checked_size(size: int) -> int:
    """Return a file's size that Linux can hold."""
    if not 0 <= size <= SIZE_MAX:
        raise ValueError(f"a size of {size} bytes")
    return size


def parse_device(major_field: bytes, minor_field: bytes) -> int:
    """Return a device number."""
    major, minor = parse_number(major_field), parse_number(minor_field)
    if not (0 <= major <= _MAJOR_MAX and 0 <= minor <= _MINOR_MAX):
        raise ValueError(f"a device number of {major}, {minor}, which Linux cannot hold")
    return os.makedev(major, minor)


def parse_name(fields: Fields) -> bytes:
    """Return the member's name as the header has it, the ustar prefix in front."""
    name = fields[0].split(b"\0", 1)[0]
    prefix = fields[10]
    if prefix[0] and fields[7][:6] == b"ustar\0":
        if fields[11][8:] == b"tar\0":
            prefix = prefix[:131]  # star keeps atime and ctime behind it
        return until_nul(prefix) + b"/" + name
    return name


def clean_path(raw: bytes) -> bytes:
    """Return a member's path relative to the root, without empty and `.` parts.

    Raises:
        ValueError: It has a part `..` or a NUL, or is longer than Linux allows.
    """
    path = raw[2:] if raw[:2] == b"./" else raw
    if path[-1:] == b"/":
        path = path[:-1]
    # Almost all paths are clean already; these four tests tell for certain.
    if path[:1] in (b".", b"/", b"") or b"/." in path or b"//" in path or path[-1:] == b"/":
        parts = [part for part in path.split(b"/") if part not in (b"", b".")]
        if b".." in parts:
            raise ValueError("a name with a part `..`")
        path = b"/".join(parts)
    if len(path) > _NAME_MAX and not _is_short_enough(path):
        raise ValueError("a name longer than Linux allows")
    if b"\0" in path:
        raise ValueError("a name with a NUL in it")
    return path


def _is_short_enough(path: bytes) -> bool:
    return len(path) <= _PATH_MAX and all(len(part) <= _NAME_MAX for part in path.split(b"/"))


def checked_target(target: bytes) -> bytes:
    """Return a link's target that Linux can hold."""
    if not target or b"\0" in target or len(target) >= _PATH_MAX:
        raise ValueError("a link whose target is empty, too long, or has a NUL in it")
    return target


def until_nul(field: bytes) -> bytes:
    """Return what precedes the first NUL."""
    return field.split(b"\0", 1)[0]
