"""The fields of one entry of a TOC, by type and within bounds.

A layer has up to a million entries, so a plain dictionary is read here and not an `oci.Node`. Every
function raises ValueError with the reason; who reads the TOC adds which entry it was.
"""

import base64
import binascii
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from types import NoneType
from typing import Any

from rootless.image.layers import XATTR_PREFIX, clamp_time_ns, parse_xattrs

Fields = Mapping[str, Any]

_BIG = 1 << 62
_TEXT_MAX = 4096  # no path is longer
_SHA256 = re.compile(r"(?:sha256:)?([0-9a-f]{64})")
_TIME = re.compile(r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d)(?:\.(\d{1,9})\d*)?([Zz]|[+-]\d\d:\d\d)")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_REPLACEMENT = "\ufffd"


def number(fields: Fields, name: str, highest: int = _BIG) -> int:
    """Return a whole number, 0 where the field is absent."""
    value = fields.get(name)
    if value is None:
        return 0
    if type(value) is not int or not 0 <= value <= highest:
        raise ValueError(f"whose {name} is no number from 0 to {highest}")
    return value


def text(fields: Fields, name: str) -> str:
    """Return a string, empty where the field is absent."""
    value = fields.get(name)
    if value is None:
        return ""
    if not isinstance(value, str) or len(value) > _TEXT_MAX:
        raise ValueError(f"whose {name} is no string, or too long")
    return value


def name_bytes(fields: Fields, name: str) -> bytes:
    """Return a name as the tar has it.

    Go, which most TOCs are written with, puts a replacement character for every byte that is not
    UTF-8: what the name was cannot be told any more. Ours keeps such bytes as lone surrogates.
    """
    value = text(fields, name)
    if _REPLACEMENT in value:
        raise ValueError(f"whose {name} was not text and is lost")
    try:
        return value.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        raise ValueError(f"whose {name} is no Unicode text") from None


def sha256(fields: Fields, name: str) -> bytes:
    """Return a digest, empty where the field is absent."""
    value = text(fields, name)
    if not value:
        return b""
    match = _SHA256.fullmatch(value)
    if not match:
        raise ValueError(f"whose {name} is no SHA-256 digest")
    return bytes.fromhex(match[1])


def time_ns(fields: Fields, name: str) -> int:
    """Return a time (RFC 3339) in nanoseconds since 1970, 0 where the field is absent.

    Year 1 is how Go writes a time that is not known.
    """
    value = text(fields, name)
    match = _TIME.fullmatch(value)
    if not match:
        if value:
            raise ValueError(f"whose {name} is no time")
        return 0
    if match[1] == "0001-01-01":
        return 0
    zone = "+00:00" if match[4] in "Zz" else match[4]
    try:
        since = datetime.fromisoformat(f"{match[1]}T{match[2]}{zone}") - _EPOCH
    except (ValueError, OverflowError):
        raise ValueError(f"whose {name} is no time") from None
    seconds = since.days * 86400 + since.seconds
    return clamp_time_ns(seconds * 1_000_000_000 + int((match[3] or "").ljust(9, "0")))


def xattrs(fields: Fields) -> Mapping[bytes, bytes]:
    """Return the extended attributes that an image may have; the values are in base64."""
    value = fields.get("xattrs")
    if not value:
        return {}
    if type(value) is not dict:
        raise ValueError("whose xattrs are no object")
    records = {}
    for name, content in value.items():
        if type(content) not in (str, NoneType):
            raise ValueError("whose xattrs are no strings")
        try:
            key = XATTR_PREFIX + name.encode("utf-8", "surrogateescape")
            records[key] = base64.b64decode(content or "", validate=True)
        except (UnicodeEncodeError, binascii.Error):
            raise ValueError("whose xattrs are not encoded as such") from None
    return parse_xattrs(records)
