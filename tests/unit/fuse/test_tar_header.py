"""Fields of a header, and names that come from an archive."""

import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from images import header, negative, octal

from fuse import tar_header as th


@settings(database=None)
@given(st.integers(min_value=0, max_value=(1 << 63) - 1))
def test_numbers_are_octal_or_base_256(value: int) -> None:
    """Both encodings of a number read back as it."""
    assert th.parse_number(octal(value, 12)) == value


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        (b"0000644\0", 0o644),
        (b"000644 \0", 0o644),
        (b"   644 \0", 0o644),
        (b"0000644 ", 0o644),
        (b"00000644", 0o644),
        (b"644\0junk", 0o644),
        (bytes(8), 0),
        (b"        ", 0),
        (negative(-1, 8), -1),
        (negative(-5000, 12), -5000),
    ],
)
def test_numbers_of_every_tar_are_read(field: bytes, expected: int) -> None:
    """Padding by spaces, zeros or NULs, no terminator, junk behind it, negative base-256."""
    assert th.parse_number(field) == expected


@pytest.mark.parametrize("field", [b"9999999\0", b"xyz\0\0\0\0\0"])
def test_numbers_that_are_none_are_refused(field: bytes) -> None:
    """Anything but octal digits is an error."""
    with pytest.raises(ValueError, match="number"):
        th.parse_number(field)


def test_checksum_is_verified() -> None:
    """One changed byte is noticed, and so are two that cancel out only modulo 65521."""
    block = header(b"name")
    assert th.parse_fields(block)[0].rstrip(b"\0") == b"name"
    with pytest.raises(ValueError, match="checksum"):
        th.parse_fields(b"N" + block[1:])


def test_checksum_of_signed_bytes_is_accepted() -> None:
    """Old Suns summed signed characters; their archives still read."""
    block = bytearray(header(b"\xff\xfe"))
    block[148:156] = b" " * 8
    total = sum(byte - 256 if byte > 127 else byte for byte in block)
    block[148:156] = b"%06o\0 " % total
    assert th.parse_fields(bytes(block))[0][:2] == b"\xff\xfe"


def test_prefix_counts_in_ustar_only() -> None:
    """GNU's format has other things there; star's has its times behind 131 bytes."""
    assert th.parse_name(th.parse_fields(header(b"b", prefix=b"a"))) == b"a/b"
    assert th.parse_name(th.parse_fields(header(b"b", prefix=b"a", magic=b"ustar  \0"))) == b"b"
    star = b"a".ljust(131, b"\0") + b"1234567890 1234567890 " + bytes(10) + b"tar\0"
    assert th.parse_name(th.parse_fields(header(b"b", tail=star))) == b"a/b"


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b"a/b", b"a/b"),
        (b"./a/b", b"a/b"),
        (b"/a/b", b"a/b"),
        (b"//a//b//", b"a/b"),
        (b"a/./b/.", b"a/b"),
        (b"././a", b"a"),
        (b"a/", b"a"),
        (b".", b""),
        (b"./", b""),
        (b"/", b""),
        (b"", b""),
        (b".hidden", b".hidden"),
        (b"a/.b", b"a/.b"),
        (b"a/..b", b"a/..b"),
        (b"a/b..", b"a/b.."),
        (b"..a", b"..a"),
        (b"\xff\xfe", b"\xff\xfe"),
        (b"n" * 255, b"n" * 255),
    ],
)
def test_paths_become_relative_to_the_root(raw: bytes, expected: bytes) -> None:
    """Leading `./` and `/`, empty and `.` parts go; everything else stays."""
    assert th.clean_path(raw) == expected


@pytest.mark.parametrize(
    "raw",
    [
        *(b"..", b"../a", b"a/..", b"a/../b", b"/..", b"./../a", b"a/../"),
        *(b"a\0b", b"n" * 256, b"d/" + b"n" * 256, b"a/" * 2050 + b"b"),
    ],
)
def test_paths_that_lead_out_or_cannot_be_are_refused(raw: bytes) -> None:
    """`..`, NUL, and names longer than Linux allows are errors."""
    with pytest.raises(ValueError, match="a name"):
        th.clean_path(raw)


@settings(database=None)
@given(st.binary(max_size=300))
def test_clean_paths_have_only_real_parts(raw: bytes) -> None:
    """Whatever comes in, what comes out is empty or a relative path of proper parts."""
    try:
        path = th.clean_path(raw)
    except ValueError:
        return
    assert b"\0" not in path
    assert not path or not {b"", b".", b".."} & set(path.split(b"/"))
    assert th.clean_path(path) == path


def test_owner_and_device_beyond_linux_are_refused() -> None:
    """IDs of -1 and more than 32 bits, and device numbers that Linux cannot encode, are errors."""
    assert th.parse_owner(octal(0o104755, 8) + octal(1000, 8) + octal(5, 8)) == (0o4755, 1000, 5)
    assert th.parse_device(octal(8, 8), octal(1, 8)) == os.makedev(8, 1)
    for number in (-1, (1 << 32) - 1):
        with pytest.raises(ValueError, match="ID"):
            th.checked_id(number)
    for major, minor in ((4096, 0), (0, 1 << 20)):
        with pytest.raises(ValueError, match="device"):
            th.parse_device(octal(major, 8), octal(minor, 8))


def test_sizes_are_bounded() -> None:
    """A negative size, or one that no file can have, is an error."""
    for size in (-1, 1 << 63):
        with pytest.raises(ValueError, match="size"):
            th.checked_size(size)


@pytest.mark.parametrize("target", [b"", b"a\0b", b"a" * 4096])
def test_link_targets_are_bounded(target: bytes) -> None:
    """An empty target, one with a NUL, and one beyond PATH_MAX are errors."""
    with pytest.raises(ValueError, match="target"):
        th.checked_target(target)
