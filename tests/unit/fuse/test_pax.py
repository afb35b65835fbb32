"""Records of extended headers."""

import pytest
from images import pax_record

from fuse import pax


def test_records_are_kept_in_order_with_repeated_keys() -> None:
    """Every record counts, values are bytes and may hold `=` and newlines."""
    content = pax_record(b"a", b"1") + pax_record(b"a", b"x=y\nz") + pax_record(b"b", b"")
    assert pax.parse_records(content) == [(b"a", b"1"), (b"a", b"x=y\nz"), (b"b", b"")]


@pytest.mark.parametrize(
    "content",
    [
        b"x",
        b"12",
        b"99 a=b\n",
        b"6 a=b\n\n"[:6] + b"7",
        b"-6 a=b\n",
        b"6 ab\n\n",
        b"5 =b\n",
        b"2 a=b\n",
        b"0 a=b\n",
        b"00000000000000000000006 a=b\n",
        b"6 a=bX",
    ],
)
def test_malformed_records_are_refused(content: bytes) -> None:
    """A length that is none, or does not fit, or a missing key is an error."""
    with pytest.raises(ValueError, match="PAX record"):
        pax.parse_records(content)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b"0", 0),
        (b"1.5", 1_500_000_000),
        (b"1700000000.123456789", 1_700_000_000_123_456_789),
        (b"1700000000.1234567899", 1_700_000_000_123_456_789),
        (b"-1.5", -1_500_000_000),
        (b"7.", 7_000_000_000),
        (b"99999999999", (1 << 63) - 1),
        (b"-99999999999", 1 - (1 << 63)),
    ],
)
def test_times_are_exact_and_clamped(text: bytes, expected: int) -> None:
    """A time is kept to the nanosecond, and held within 64 bits."""
    assert pax.parse_time_ns(text) == expected


@pytest.mark.parametrize("text", [b"", b".5", b"1.x", b"one", b"1e3", b"--1", b"1" * 21])
def test_times_that_are_none_are_refused(text: bytes) -> None:
    """Anything but digits and one point is an error."""
    with pytest.raises(ValueError, match="time"):
        pax.parse_time_ns(text)


@pytest.mark.parametrize("text", [b"", b"-1", b"1.0", b"1_0", b"9" * 21])
def test_numbers_that_are_none_are_refused(text: bytes) -> None:
    """Anything but digits is an error."""
    with pytest.raises(ValueError, match="number"):
        pax.parse_number(text)


def test_xattrs_come_from_star_and_libarchive() -> None:
    """Both spellings are read; libarchive's name is URL-encoded and its value base64."""
    records = {
        b"path": b"x",
        b"SCHILY.xattr.user.binary": b"\0\xff=\n",
        b"LIBARCHIVE.xattr.user.a%20b": b"aGVsbG8",
    }
    assert pax.parse_xattrs(records) == {b"user.binary": b"\0\xff=\n", b"user.a b": b"hello"}


def test_xattrs_that_are_not_an_images_are_dropped() -> None:
    """Marks of overlays, labels of another host and names without a namespace are not kept."""
    names = (
        b"user.overlay.opaque",
        b"user.overlay.redirect",
        b"trusted.overlay.metacopy",
        b"security.selinux",
        b"system.nfs4_acl",
        b"nonsense",
    )
    assert pax.parse_xattrs({b"SCHILY.xattr." + name: b"y" for name in names}) == {}


@pytest.mark.parametrize(
    ("key", "value"),
    [
        (b"SCHILY.xattr.user." + b"n" * 251, b""),
        (b"SCHILY.xattr.user.a\0b", b""),
        (b"SCHILY.xattr.user.a", bytes(65537)),
        (b"LIBARCHIVE.xattr.user.a", b"!"),
        (b"LIBARCHIVE.xattr.user.a%zz", b""),
    ],
)
def test_xattrs_beyond_what_linux_allows_are_refused(key: bytes, value: bytes) -> None:
    """A name of more than 255 bytes, a value of more than 64 KiB or a bad encoding is an error."""
    with pytest.raises(ValueError, match=r"attribute|LIBARCHIVE"):
        pax.parse_xattrs({key: value})
