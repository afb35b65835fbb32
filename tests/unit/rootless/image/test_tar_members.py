"""`rootless.image.tar_members`: the outer archive's names, links and sizes; what is refused."""

import io
import tarfile
import time
from collections.abc import Callable

import images
import pytest
from images import LayerBuilder, gnu_long, header, padded, pax_header

from rootless.errors import IntegrityError
from rootless.image.tar_members import Member, members

LONG = "blobs/" + "x" * 200


class Archive:
    """An archive in memory, for `members`."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self._position = 0

    def read_exactly(self, size: int) -> bytes:
        """Read on."""
        part = self.data[self._position : self._position + size]
        self._position += len(part)
        return part

    def tell(self) -> int:
        """Return the position."""
        return self._position

    def seek_forward(self, position: int) -> None:
        """Go on there."""
        assert position >= self._position
        if position > len(self.data):
            raise IntegrityError("archive ends early", "a.tar")
        self._position = position


def found(data: bytes | LayerBuilder) -> list[Member]:
    """Return the members of an archive."""
    return list(members(Archive(images.layer_tar(data)), "a.tar"))


def fault(data: bytes | LayerBuilder) -> str:
    """Return the line that says why an archive is refused."""
    with pytest.raises(IntegrityError) as caught:
        found(data)
    return str(caught.value)


def test_files_and_links_with_their_places() -> None:
    """Files and links come in order, their content is where they say; the rest is passed over."""
    builder = (
        LayerBuilder()
        .directory("./blobs")
        .file("./a", b"x" * 600)
        .fifo("pipe")
        .device("null", "c", 1, 3)
        .symlink("d/s", "../a")
        .hard_link("h", "a")
        .file("b")
        .member("old", b"\0", content=b"V7")
        .member("contiguous", b"7", content=b"c")
        .member("unknown", b"Z", content=b"x" * 700)
        .file("last", b"z")
    )
    listed = {member.name: member for member in found(builder)}
    assert list(listed) == ["a", "d/s", "h", "b", "old", "contiguous", "last"]
    data = builder.tar()
    contents = {m.name: data[m.offset : m.offset + m.size] for m in listed.values()}
    assert contents["a"] == b"x" * 600
    assert (contents["old"], contents["contiguous"], contents["last"]) == (b"V7", b"c", b"z")
    assert (listed["d/s"].link, listed["d/s"].is_symlink) == ("../a", True)
    assert (listed["h"].link, listed["h"].is_symlink) == ("a", False)


@pytest.mark.parametrize("form", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT, tarfile.USTAR_FORMAT])
def test_what_tarfile_writes(form: int) -> None:
    """Names of every length that a format can hold are those that were written."""
    names = ["short", "d/" + "n" * 97, "p" * 120 + "/" + "n" * 90]
    if form != tarfile.USTAR_FORMAT:
        names += ["n" * 300, "d/ü" * 60]
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=form) as archive:
        for name in names:
            info = tarfile.TarInfo(name)
            info.size = 3
            archive.addfile(info, io.BytesIO(b"abc"))
            link = tarfile.TarInfo(f"l{len(name)}")
            link.type, link.linkname = tarfile.SYMTYPE, name[:100]
            archive.addfile(link)
    listed = found(buffer.getvalue())
    assert [m.name for m in listed if not m.link] == names
    assert [m.link for m in listed if m.link] == [name[:100] for name in names]
    assert all(buffer.getvalue()[m.offset :][:3] == b"abc" for m in listed if not m.link)


@pytest.mark.parametrize(
    "extended",
    [
        pax_header([(b"path", LONG.encode()), (b"linkpath", b"to")]),
        gnu_long(b"L", LONG.encode()) + gnu_long(b"K", b"to"),
        gnu_long(b"K", b"to") + pax_header([(b"path", LONG.encode())]),
        gnu_long(b"L", LONG.encode()) + pax_header([(b"linkpath", b"to")]),
        pax_header([(b"path", LONG.encode())]) + pax_header([(b"linkpath", b"to")]),
        pax_header([(b"path", LONG.encode())], typeflag=b"g") + gnu_long(b"K", b"to"),
        pax_header([(b"path", b"no")])
        + pax_header([(b"path", LONG.encode()), (b"linkpath", b"to")]),
    ],
    ids=["pax", "GNU", "K and pax", "L and pax", "two pax", "global and K", "the later pax"],
)
def test_extended_headers_add_up(extended: bytes) -> None:
    """However the headers before a member share the work, all that they say holds for it."""
    (member,) = found(extended + header(b"cut off", typeflag=b"1", linkname=b"cut") + images.END)
    assert (member.name, member.link) == (LONG, "to")


def test_an_extended_header_is_for_one_member() -> None:
    """The member after the next has its own name again; a global header's words stay."""
    one = LayerBuilder().raw(pax_header([(b"path", b"long")])).file("a").file("b")
    assert [member.name for member in found(one)] == ["long", "b"]
    shared = pax_header([(b"linkpath", b"all")], typeflag=b"g")
    two = LayerBuilder().raw(shared).hard_link("a", "x").raw(pax_header([(b"linkpath", b"own")]))
    links = [member.link for member in found(two.hard_link("b", "x").hard_link("c", "x"))]
    assert links == ["all", "own", "all"]


@pytest.mark.parametrize("typeflag", [b"x", b"g"])
def test_a_size_in_an_extended_header(typeflag: bytes) -> None:
    """The size in pax goes before the header's, which cannot hold every size."""
    builder = LayerBuilder().raw(pax_header([(b"size", b"600")], typeflag=typeflag))
    builder.raw(header(b"a", size=0) + padded(b"x" * 600))
    builder.raw(pax_header([(b"size", b"0")])).raw(header(b"b"))
    assert [(m.name, m.size) for m in found(builder)] == [("a", 600), ("b", 0)]


def test_a_size_beyond_octal() -> None:
    """GNU's base-256 holds the size of a layer over 8 GiB."""
    with pytest.raises(IntegrityError, match="ends early"):
        found(header(b"a", size=9 << 30))
    first = next(members(Archive(header(b"a", size=9 << 30)), "a.tar"))
    assert first.size == 9 << 30


def test_a_name_in_no_character_set() -> None:
    """Bytes that are no UTF-8 survive in the name, in a header and in pax."""
    raw = b"\xff\xfe"
    builder = LayerBuilder().file(raw).file("x", pax=[(b"path", raw)])
    assert [member.name.encode("utf-8", "surrogateescape") for member in found(builder)] == [
        raw
    ] * 2


def test_the_end() -> None:
    """Zero blocks end the archive, two or one, and so does the end of the file between members."""
    whole = LayerBuilder().file("a", b"x").tar(end=b"")
    for end in (b"", bytes(512), bytes(1024), bytes(512) + b"garbage"):
        assert [member.name for member in found(whole + end)] == ["a"]


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "archive is empty: a.tar, at byte 0"),
        (b"x" * 100, "archive ends early: a.tar, at byte 100"),
        (b"x" * 512, "archive is not a tar archive, or is damaged: a.tar, at byte 512"),
        (header(b"a") + header(b"b")[:300], "archive ends early: a.tar, at byte 812"),
        (header(b"a", size=5), "archive ends early: a.tar"),
        (gnu_long(b"L", b"n" * 600)[:1024], "archive ends early: a.tar, at byte 1024"),
    ],
    ids=["empty", "part of a block", "no tar", "in a header", "in a file", "in a name"],
)
def test_archives_that_break_off(data: bytes, says: str) -> None:
    """What is cut short or no tar at all is refused, with the place."""
    assert fault(data) == says


def test_a_changed_byte() -> None:
    """A header that does not have its checksum is damaged, whichever byte it is."""
    block = header(b"a")
    for position in (0, 124, 148, 156, 300, 511):
        damaged = bytearray(block)
        damaged[position] ^= 0x41
        assert "is damaged: a.tar, at byte 512" in fault(bytes(damaged))


@pytest.mark.parametrize(
    "data",
    [
        header(b"a", size=-1),
        header(b"a", size=1 << 62),
        *(
            pax_header([(b"size", text)]) + header(b"a")
            for text in (
                b"-1",
                b"1_0",
                b"+1",
                b" 1",
                b"0x1",
                "\N{ARABIC-INDIC DIGIT ONE}".encode(),
                b"9" * 5000,
            )
        ),
    ],
)
def test_impossible_sizes(data: bytes) -> None:
    """A size is decimal digits, and not more than any file has."""
    assert fault(data + images.END).startswith("archive has a member of impossible size: a.tar")


@pytest.mark.parametrize(
    "content",
    [
        b"5 a=b\n",
        b"99 a=b\n",
        b"6 a=bc",
        b"5 ab\n",
        b"0 a=b\n",
        b"-6 a=b\n",
        b"a=b\n",
        b"6a=b\n",
        b"000000006 a=b\n",
        b"6 a=b\n6",
    ],
)
def test_malformed_pax_records(content: bytes) -> None:
    """A record that does not count itself rightly is refused, not guessed at."""
    data = header(b"x", typeflag=b"x", size=len(content)) + padded(content) + header(b"a")
    assert fault(data).startswith("archive has a malformed extended header: a.tar, at byte ")


def test_a_hundred_thousand_records() -> None:
    """The time to read an extended header goes with its size, not with the size's square."""
    content = b"6 a=b\n" * 170_000
    data = header(b"x", typeflag=b"x", size=len(content)) + padded(content) + header(b"a")
    begin = time.process_time()
    assert [member.name for member in found(data)] == ["a"]
    assert (
        time.process_time() - begin < 2
    )  # a copy of the rest for each record takes three times as long


def test_an_empty_record_takes_back() -> None:
    """An empty value means that the header's own holds: pax has it so."""
    shared = pax_header([(b"path", b"all"), (b"size", b"9")], typeflag=b"g")
    own = pax_header([(b"path", b""), (b"size", b"")])
    data = shared + own + header(b"a", size=1) + padded(b"x")
    assert [(member.name, member.size) for member in found(data)] == [("a", 1)]


@pytest.mark.parametrize("typeflag", [b"x", b"g", b"L", b"K"])
def test_huge_extended_headers(typeflag: bytes) -> None:
    """An extended header over 1 MiB is refused before it is read."""
    data = header(b"x", typeflag=typeflag, size=(1 << 20) + 1)
    assert fault(data) == "archive has an extended header of 1048577 bytes: a.tar, at byte 512"


@pytest.mark.parametrize(
    "build",
    [
        lambda name: gnu_long(b"L", name) + header(b"a"),
        lambda name: gnu_long(b"K", name) + header(b"a", typeflag=b"2"),
        lambda name: pax_header([(b"path", name)]) + header(b"a"),
        lambda name: pax_header([(b"linkpath", name)]) + header(b"a", typeflag=b"1"),
    ],
    ids=["L", "K", "path", "linkpath"],
)
def test_names_longer_than_a_path(build: Callable[[bytes], bytes]) -> None:
    """A name longer than any path is refused: a hundred thousand of them would fill the memory."""
    assert len(found(build(b"n" * 4096))) == 1
    assert fault(build(b"n" * 4097)) == "archive has a name of 4097 bytes: a.tar, at byte 5120"


def test_too_many_members(monkeypatch: pytest.MonkeyPatch) -> None:
    """The number of members is bounded, extended headers included."""
    monkeypatch.setattr("rootless.image.tar_members._MAX_MEMBERS", 10)
    assert len(found(LayerBuilder().raw(header(b"a") * 10))) == 10
    assert fault(LayerBuilder().raw(header(b"a") * 11)).startswith(
        "archive has more than 10 members: a.tar"
    )
    endless = pax_header([(b"comment", b"x")]) * 11
    assert fault(endless).startswith("archive has more than 10 members")
