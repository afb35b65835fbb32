r"""Extended header records: POSIX.1-2017 pax "Extended Header", and what GNU, star, BSD add.

A record is `length key=value\n`. Values stay bytes: `hdrcharset` is of no concern, since a name is
not text here. Every function raises ValueError with the reason; the reader adds where.
"""

import base64
import binascii

XATTR_PREFIX = b"SCHILY.xattr."
LIBARCHIVE_PREFIX = b"LIBARCHIVE.xattr."

_NAMESPACES = (b"user.", b"trusted.", b"security.", b"system.")
# Not for an image to set: an overlay's own marks (a hostile layer could redirect or hide entries
# of the mounted file system), and labels that belong to the machine the image was made on.
_DROPPED_PREFIXES = (b"user.overlay.", b"trusted.overlay.")
_DROPPED = frozenset({b"security.selinux", b"system.nfs4_acl"})

_XATTR_NAME_MAX = 255  # XATTR_NAME_MAX of linux/limits.h
_XATTR_SIZE_MAX = 65536  # XATTR_SIZE_MAX
_DIGITS_MAX = 20
_MTIME_LIMIT_NS = (1 << 63) - 1


def parse_records(content: bytes) -> list[tuple[bytes, bytes]]:
    """Return the records of an extended header in order, repeated keys included."""
    records = []
    position = 0
    while position < len(content):
        space = content.find(b" ", position, position + _DIGITS_MAX)
        digits = content[position:space]
        if space < 0 or not digits.isdigit():
            raise ValueError("PAX record without a length")
        end = position + int(digits)
        if end > len(content) or end <= space + 1 or content[end - 1] != 0x0A:
            raise ValueError("PAX record with a wrong length")
        key, equals, value = content[space + 1 : end - 1].partition(b"=")
        if not equals or not key:
            raise ValueError("PAX record without a key")
        records.append((key, value))
        position = end
    return records


def parse_number(value: bytes) -> int:
    """Return a record's decimal number."""
    if not value.isdigit() or len(value) > _DIGITS_MAX:
        raise ValueError("PAX record whose number is none")
    return int(value)


def parse_time_ns(value: bytes) -> int:
    """Return a record's time, seconds with a fraction, in nanoseconds, exactly."""
    seconds, _, fraction = value.removeprefix(b"-").partition(b".")
    if not seconds.isdigit() or len(seconds) > _DIGITS_MAX or not (fraction + b"0").isdigit():
        raise ValueError("PAX record whose time is none")
    time_ns = int(seconds) * 1_000_000_000 + int(fraction[:9].ljust(9, b"0"))
    return clamp_time_ns(-time_ns if value[:1] == b"-" else time_ns)


def clamp_time_ns(time_ns: int) -> int:
    """Return the nearest time that 64 bits hold, as a file system does with what it cannot keep."""
    return max(-_MTIME_LIMIT_NS, min(_MTIME_LIMIT_NS, time_ns))


def parse_xattrs(records: dict[bytes, bytes]) -> dict[bytes, bytes]:
    """Return the extended attributes among the records, without those that are not an image's."""
    xattrs = {}
    for key, value in records.items():
        if key.startswith(XATTR_PREFIX):
            name = key[len(XATTR_PREFIX) :]
        elif key.startswith(LIBARCHIVE_PREFIX):
            name, value = _libarchive(key[len(LIBARCHIVE_PREFIX) :], value)  # noqa: PLW2901 - decoded
        else:
            continue
        if b"\0" in name or len(name) > _XATTR_NAME_MAX or len(value) > _XATTR_SIZE_MAX:
            raise ValueError("extended attribute larger than Linux allows")
        if _is_kept(name):
            xattrs[name] = value
    return xattrs


def _is_kept(name: bytes) -> bool:
    return (
        name.startswith(_NAMESPACES)
        and not name.startswith(_DROPPED_PREFIXES)
        and name not in _DROPPED
    )


def _libarchive(name: bytes, value: bytes) -> tuple[bytes, bytes]:
    """Return name and value: libarchive URL-encodes the one, and has the other in base64."""
    head, *rest = name.split(b"%")
    try:
        name = head + b"".join(bytes.fromhex(each[:2].decode()) + each[2:] for each in rest)
        return name, base64.b64decode(value + b"=" * (-len(value) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("LIBARCHIVE.xattr record that is not encoded as such") from None
