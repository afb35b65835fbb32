"""`rootless.chunked.fields`: the values of one entry, and what is no such value."""

import base64
from collections.abc import Callable
from typing import Any

import pytest

from rootless.chunked import fields

HEX = "ab" * 32


def test_absent_fields() -> None:
    """An absent field and a null are nothing: Go leaves out what is zero or empty."""
    for entry in ({}, {"x": None, "xattrs": None}):
        assert fields.number(entry, "x") == 0
        assert fields.text(entry, "x") == ""
        assert fields.sha256(entry, "x") == b""
        assert fields.time_ns(entry, "x") == 0
        assert fields.xattrs(entry) == {}


@pytest.mark.parametrize(
    ("text", "nanoseconds"),
    [
        ("1970-01-01T00:00:01Z", 10**9),
        ("2023-11-14T22:13:20Z", 1_700_000_000 * 10**9),
        ("2023-11-14T22:13:20.000000001Z", 1_700_000_000 * 10**9 + 1),
        ("2023-11-15T00:13:20.5+02:00", 1_700_000_000 * 10**9 + 500_000_000),
        ("1969-12-31T23:59:59.75Z", -250_000_000),
        ("2023-11-14t22:13:20.1234567899z", 1_700_000_000 * 10**9 + 123_456_789),
        ("0001-01-01T00:00:00Z", 0),
        ("9999-12-31T23:59:59Z", (1 << 63) - 1),
        ("1066-10-14T09:00:00Z", -(1 << 63) + 1),
    ],
)
def test_times(text: str, nanoseconds: int) -> None:
    """RFC 3339 with any zone and fraction; Go's zero time is none."""
    assert fields.time_ns({"modtime": text}, "modtime") == nanoseconds


def test_names_that_are_no_text() -> None:
    """A byte that is no UTF-8 stands as half a character, as Python has it."""
    assert fields.name_bytes({"name": "a\udcff"}, "name") == b"a\xff"


def test_digests() -> None:
    """With or without the algorithm's name."""
    assert fields.sha256({"d": "sha256:" + HEX}, "d") == bytes.fromhex(HEX)
    assert fields.sha256({"d": HEX}, "d") == bytes.fromhex(HEX)


def test_extended_attributes() -> None:
    """They are decoded; those that are not for an image to set are left out."""
    value = base64.b64encode(b"\0\xff").decode()
    names = ("user.a", "user.overlay.opaque", "security.selinux", "security.capability")
    found = fields.xattrs({"xattrs": dict.fromkeys(names, value)})
    assert found == {b"user.a": b"\0\xff", b"security.capability": b"\0\xff"}
    assert fields.xattrs({"xattrs": {"user.empty": ""}}) == {b"user.empty": b""}


@pytest.mark.parametrize(
    ("read", "value", "reason"),
    [
        (fields.number, -1, "no number from 0"),
        (fields.number, 1.0, "no number from 0"),
        (fields.number, True, "no number from 0"),
        (fields.number, "1", "no number from 0"),
        (fields.number, 1 << 63, "no number from 0"),
        (fields.text, 1, "no string"),
        (fields.text, "x" * 5000, "too long"),
        (fields.name_bytes, "a\ufffd", "was not text and is lost"),
        (fields.name_bytes, "\ud800", "no Unicode text"),
        (fields.sha256, "sha512:" + HEX, "no SHA-256 digest"),
        (fields.sha256, HEX[1:], "no SHA-256 digest"),
        (fields.time_ns, "yesterday", "no time"),
        (fields.time_ns, "2023-02-30T00:00:00Z", "no time"),
        (fields.time_ns, "2023-01-01T00:00:00", "no time"),
        (fields.time_ns, "2023-01-01T00:00:00+99:00", "no time"),
    ],
)
def test_what_is_no_value(
    read: Callable[[dict[str, Any], str], object], value: object, reason: str
) -> None:
    """The error names the field and what it is not."""
    with pytest.raises(ValueError, match=f"whose x .*{reason}"):
        read({"x": value}, "x")


@pytest.mark.parametrize(
    "value",
    [["x"], "x", {"user.a": 1}, {"user.a": "?"}, {"user.\ud800": ""}, {"user." + "x" * 300: ""}],
)
def test_what_are_no_extended_attributes(value: object) -> None:
    """Malformed ones are refused, and those that Linux cannot have."""
    with pytest.raises(ValueError, match=r"xattrs|attribute larger than Linux allows"):
        fields.xattrs({"xattrs": value})
