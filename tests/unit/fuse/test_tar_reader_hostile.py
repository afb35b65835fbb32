"""The push parser against malformed, truncated and hostile archives: one sentence each."""

import os
import stat

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from images import (
    END,
    LayerBuilder,
    header,
    padded,
    pax_header,
    small_layer,
)
from trees import parse

from fuse.entry import HARD_LINK, SPARSE, Entry
from fuse.tar_reader import EXTENDED_MAX, TarFormatError, TarReader


def entries(tar: bytes) -> list[Entry]:
    """Return the entries alone."""
    return [entry for entry, _, _ in parse(tar)]


def refused(tar: bytes) -> str:
    """Return the one line with which an archive is refused."""
    with pytest.raises(TarFormatError) as caught:
        parse(tar)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("tar", "reason"),
    [
        (LayerBuilder().file("../etc/passwd").tar(), "part `..`"),
        (LayerBuilder().file("a/../../b").tar(), "part `..`"),
        (LayerBuilder().hard_link("a", "../../etc/shadow").tar(), "part `..`"),
        (LayerBuilder().member("a", b"0", pax=[(b"path", b"x/../y")]).tar(), "part `..`"),
        (LayerBuilder().member("a", b"0", pax=[(b"path", b"a\0b")]).tar(), "NUL"),
        (LayerBuilder().member("a", b"2", pax=[(b"linkpath", b"a\0b")]).tar(), "NUL"),
        (LayerBuilder().symlink("a", "").tar(), "empty"),
        (LayerBuilder().symlink("a", "t" * 4096).tar(), "too long"),
        (LayerBuilder().file("n" * 256).tar(), "longer than Linux allows"),
        (LayerBuilder().file("d/" * 2500 + "n").tar(), "longer than Linux allows"),
        (LayerBuilder().device("a", "c", 5000, 0).tar(), "device number"),
        (LayerBuilder().file("a", uid=(1 << 32) - 1).tar(), "ID"),
        (LayerBuilder().file("a", uid=-1).tar(), "ID"),
        (header(b"a", size=-5) + END, "size"),
        (header(b"a", size=1 << 80) + END, "size"),
        (LayerBuilder().member("a", b"0", pax=[(b"size", b"9" * 20)]).tar(), "size"),
        (LayerBuilder().member("a", b"0", pax=[(b"uid", b"-1")]).tar(), "number"),
        (header(b"a", typeflag=b"M") + END, "unknown type"),
        (header(b"a", typeflag=b"Z") + END, "unknown type"),
        (header(b"x", typeflag=b"x", size=5) + padded(b"hello") + header(b"a") + END, "PAX"),
        (b"not a tar at all" * 100, "tar header"),
        (b"\x1f\x8b\x08" + os.urandom(2000), "tar header"),
        (header(b"a") + b"\x01" + bytes(511) + END, "checksum"),
        (header(b"a") + bytes(512) + header(b"b"), "one block of zeros"),
        (header(b"a") + pax_header([(b"uid", b"1")]) + END, "without a member"),
    ],
)
def test_malformed_archives_are_refused(tar: bytes, reason: str) -> None:
    """Each fault has its own sentence, with the offset."""
    message = refused(tar)
    assert reason in message
    assert "at byte" in message


def test_the_message_names_the_member_escaped() -> None:
    """A name that would move the terminal's cursor is shown as what it is."""
    message = refused(LayerBuilder().file(b"../\x1b[2J\xff").tar())
    assert r"member '../\x1b[2J\udcff'" in message


@pytest.mark.parametrize("typeflag", [b"x", b"g", b"L", b"K"])
def test_huge_extended_headers_are_refused_before_they_are_read(typeflag: bytes) -> None:
    """A claim of 2 GiB ends at once: no byte of it is needed, none is kept."""
    reader = TarReader(lambda *_: None)
    with pytest.raises(TarFormatError, match="more than 1 MiB"):
        reader.feed(header(b"x", typeflag=typeflag, size=2 << 30))


def test_extended_headers_are_bounded_together() -> None:
    """Many small extended headers for one member add up, and so do global ones."""
    one = pax_header([(b"comment", bytes(60000))])
    assert "1 MiB" in refused(one * 20 + header(b"a") + END)
    assert len(entries((one + header(b"a")) * 20 + END)) == 20
    globals_ = [pax_header([(b"k%d" % n, bytes(60000))], typeflag=b"g") for n in range(20)]
    assert "1 MiB" in refused(b"".join(globals_) + header(b"a") + END)
    assert EXTENDED_MAX == 1 << 20


@pytest.mark.parametrize("length", [1, 511, 513, 1023, 1200, 1537, 2047, 2048 + 511])
def test_truncated_archives_are_refused(length: int) -> None:
    """An end within a header, an extended header or a file's contents is noticed."""
    tar = LayerBuilder().file("a", b"x" * 600, xattrs={"user.a": b"1"}).file("b").tar(end=b"")
    assert "truncated" in refused(tar[:length])


def test_an_empty_file_is_no_archive() -> None:
    """Nothing at all is refused."""
    assert "empty file" in refused(b"")


def test_nothing_is_taken_after_an_error() -> None:
    """A reader that refused stays silent when it is fed on."""
    found: list[Entry] = []
    reader = TarReader(lambda entry, _xattrs, _extents: found.append(entry))
    with pytest.raises(TarFormatError):
        reader.feed(header(b"../a"))
    reader.feed(header(b"b") + END)
    assert found == []


def test_errors_of_the_receiver_say_where() -> None:
    """A ValueError out of the callback becomes one of the archive."""

    def refuse(*_: object) -> None:
        raise ValueError("not wanted")

    with pytest.raises(TarFormatError, match=r"not wanted .*member 'a'"):
        TarReader(refuse).feed(header(b"a"))


@settings(database=None, max_examples=150)
@given(st.data())
def test_damage_ends_in_an_error_or_in_sane_entries(data: st.DataObject) -> None:
    """Whatever is changed, only TarFormatError comes out, and no entry leaves the archive."""
    tar = bytearray(small_layer().tar())
    for _ in range(data.draw(st.integers(1, 5))):
        at = data.draw(st.integers(0, len(tar) - 1))
        tar[at] = data.draw(st.integers(0, 255))
        block = at // 512 * 512
        if data.draw(st.booleans()):  # make the checksum right again, so that the damage gets in
            tar[block + 148 : block + 156] = b" " * 8
            tar[block + 148 : block + 156] = b"%06o\0 " % sum(tar[block : block + 512])
    try:
        found = parse(bytes(tar))
    except TarFormatError:
        return
    for entry, _, extents in found:
        assert b".." not in entry.path.split(b"/")
        if stat.S_ISREG(entry.mode) and not entry.flags & (HARD_LINK | SPARSE):
            assert entry.offset + entry.size <= len(tar)
        assert all(offset + length <= len(tar) for _, length, offset in extents)
