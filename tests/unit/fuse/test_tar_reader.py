"""The push parser: every format in, and everything hostile refused in one sentence."""

import io
import os
import stat
import subprocess
import tarfile
from pathlib import Path

import pytest
from images import (
    CAP_NET_RAW,
    END,
    MTIME,
    LayerBuilder,
    gnu_long,
    header,
    octal,
    padded,
    pax_header,
    small_layer,
)
from trees import Member, parse

from fuse.entry import HARD_LINK, HAS_XATTRS, SPARSE, Entry
from fuse.tar_reader import TarFormatError, TarReader


def entries(tar: bytes) -> list[Entry]:
    """Return the entries alone."""
    return [entry for entry, _, _ in parse(tar)]


def by_path(tar: bytes) -> dict[bytes, Member]:
    """Return the members by path."""
    return {member[0].path: member for member in parse(tar)}


def refused(tar: bytes) -> str:
    """Return the one line with which an archive is refused."""
    with pytest.raises(TarFormatError) as caught:
        parse(tar)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_every_type_is_read() -> None:
    """Type, permissions, owner, time, device number, target, and where the contents lie."""
    tar = small_layer().tar()
    members = by_path(tar)
    assert members[b""][0].mode == stat.S_IFDIR | 0o755
    assert members[b"usr/bin/su"][0].mode == stat.S_IFREG | 0o4755
    assert members[b"tmp"][0].mode == stat.S_IFDIR | 0o1777
    assert members[b"dev/null"][0].mode == stat.S_IFCHR | 0o666
    assert members[b"dev/null"][0].rdev == os.makedev(1, 3)
    assert members[b"dev/loop0"][0][2:5] == (stat.S_IFBLK | 0o660, 0, 6)
    assert members[b"run/pipe"][0].mode == stat.S_IFIFO | 0o600
    link = members[b"etc/mtab"][0]
    assert (link.target, link.size, link.mtime_ns) == (b"/proc/mounts", 12, MTIME * 10**9)
    hard = members[b"bin/dash"][0]
    assert (hard.target, hard.flags) == (b"bin/sh", HARD_LINK)
    ping, xattrs, _ = members[b"usr/bin/ping"]
    assert (ping.flags, xattrs) == (HAS_XATTRS, {b"security.capability": CAP_NET_RAW})
    assert tar[ping.offset : ping.offset + ping.size] == b"ping"
    assert b"home/user/\xff\xfe" in members


@pytest.mark.parametrize("chunk_size", [1, 7, 511, 512, 513, 4096])
def test_chunks_may_have_any_size(chunk_size: int) -> None:
    """The result does not depend on how the archive is cut."""
    tar = small_layer().tar()
    assert parse(tar, chunk_size) == parse(tar)


def test_chunks_may_be_views() -> None:
    """A memoryview and a bytearray are fed without a copy first."""
    tar, found = small_layer().tar(), []
    reader = TarReader(lambda entry, _xattrs, _extents: found.append(entry))
    reader.feed(memoryview(tar)[:1000])
    reader.feed(bytearray(tar[1000:]))
    reader.finish()
    assert found == entries(tar)


@pytest.mark.parametrize("tar_format", ["v7", "oldgnu", "gnu", "ustar", "posix"])
def test_formats_of_gnu_tar(tmp_path: Path, tar_format: str) -> None:
    """What GNU tar writes in each of its formats reads back."""
    long = "" if tar_format == "v7" else "d" * 60 + "/" + "e" * 60 + "/"
    folder = tmp_path / "in" / long
    folder.mkdir(parents=True)
    (folder / "file").write_bytes(b"contents")
    (folder / "link").symlink_to("file")
    command = ["tar", "-C", tmp_path / "in", "--format", tar_format, "-cf", tmp_path / "t", "."]
    subprocess.run(command, check=True)
    tar = (tmp_path / "t").read_bytes()
    members = by_path(tar)
    file = members[long.encode() + b"file"][0]
    assert tar[file.offset : file.offset + file.size] == b"contents"
    assert file.uid == os.getuid()
    assert members[long.encode() + b"link"][0].target == b"file"
    assert members[b""][0].mode == stat.S_IFDIR | (tmp_path / "in").stat().st_mode & 0o7777
    if tar_format == "posix":
        assert file.mtime_ns == (folder / "file").stat().st_mtime_ns


@pytest.mark.parametrize("tar_format", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, 2])
def test_formats_of_tarfile(tar_format: int) -> None:
    """What the standard library writes reads back, long names and targets included."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tar_format) as archive:
        member = tarfile.TarInfo("d" * 90 + "/" + "f" * 60)
        member.size, member.uid, member.mode = 3, 70000, 0o640
        archive.addfile(member, io.BytesIO(b"abc"))
        member = tarfile.TarInfo("link")
        member.type, member.linkname = tarfile.SYMTYPE, "t" * 90
        archive.addfile(member)
    file, link = entries(buffer.getvalue())
    assert (file.path, file.size, file.uid) == (b"d" * 90 + b"/" + b"f" * 60, 3, 70000)
    assert link.target == b"t" * 90


def test_gnu_long_names_and_targets() -> None:
    """L and K hold for the next member only, and can come together."""
    name, target = b"n" * 150, b"t" * 300
    tar = (
        gnu_long(b"K", target)
        + gnu_long(b"L", name)
        + header(b"short", typeflag=b"2", linkname=b"short", magic=b"ustar  \0")
        + header(b"next", typeflag=b"2", linkname=b"own")
        + END
    )
    assert [(entry.path, entry.target) for entry in entries(tar)] == [
        (name, target),
        (b"next", b"own"),
    ]


def test_pax_records_override_the_header() -> None:
    """Path, target, size, owner and time of the extended header win; an empty one changes none."""
    records = [
        (b"path", b"./long/" + b"\xff"),
        (b"size", b"5"),
        (b"uid", b"3000000000"),
        (b"gid", b"7"),
        (b"mtime", b"-1.5"),
        (b"hdrcharset", b"BINARY"),
        (b"comment", b"of no concern"),
    ]
    tar = pax_header(records) + header(b"short", size=0) + padded(b"hello") + header(b"b") + END
    first, second = entries(tar)
    assert first[1:7] == (
        b"long/\xff",
        stat.S_IFREG | 0o644,
        3_000_000_000,
        7,
        5,
        -1_500_000_000,
    )
    assert tar[first.offset :][:5] == b"hello"
    assert (second.path, second.uid) == (b"b", 0)
    empty = pax_header([(b"path", b""), (b"uid", b"")]) + header(b"kept", uid=4) + END
    assert entries(empty)[0][1:4] == (b"kept", stat.S_IFREG | 0o644, 4)


def test_global_pax_records_hold_for_all_that_follow() -> None:
    """A global header gives defaults, which the member's own extended header overrides."""
    tar = (
        header(b"before")
        + pax_header([(b"uid", b"5"), (b"comment", b"commit")], typeflag=b"g")
        + header(b"a")
        + pax_header([(b"uid", b"6")])
        + header(b"b")
        + header(b"c")
        + END
    )
    assert [(entry.path, entry.uid) for entry in entries(tar)] == [
        (b"before", 0),
        (b"a", 5),
        (b"b", 6),
        (b"c", 5),
    ]


def test_old_tars_mark_directories_by_a_slash() -> None:
    """A regular file whose name ends in a slash is a directory, with or without a magic."""
    tar = header(b"d/", typeflag=b"\0", magic=b"", mode=0o755) + header(b"f", typeflag=b"7") + END
    directory, file = entries(tar)
    assert (directory.mode, file.mode) == (stat.S_IFDIR | 0o755, stat.S_IFREG | 0o644)


def test_members_without_contents_have_none_whatever_they_claim() -> None:
    """A directory or a link with a size in its header is followed by the next header."""
    tar = b"".join(
        header(name, typeflag=flag, size=4096, linkname=b"x")
        for name, flag in ((b"d", b"5"), (b"h", b"1"), (b"s", b"2"), (b"p", b"6"))
    )
    assert [entry.size for entry in entries(tar + END)] == [0, 1, 1, 0]


def test_symbolic_links_have_the_mode_that_linux_shows() -> None:
    """All permissions, whatever the archive says; target and size as they stand."""
    (link,) = entries(LayerBuilder().symlink("a", "../b//c/", mode=0o640).tar())
    assert (link.mode, link.target, link.size) == (stat.S_IFLNK | 0o777, b"../b//c/", 8)


def test_volume_labels_are_no_members() -> None:
    """GNU's label of an archive is skipped."""
    assert [e.path for e in entries(header(b"label", typeflag=b"V") + header(b"a") + END)] == [b"a"]


def test_big_sizes_in_base_256_are_skipped_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file of 9 GiB costs no memory, and its successor is found behind it."""
    size, found = 9 << 30, []
    reader = TarReader(lambda entry, _xattrs, _extents: found.append(entry))
    reader.feed(header(b"big", size=size))
    chunk = memoryview(bytes(1 << 20))
    for _ in range(size >> 20):
        reader.feed(chunk)
    reader.feed(header(b"next") + END)
    reader.finish()
    assert [(entry.path, entry.size) for entry in found] == [(b"big", size), (b"next", 0)]
    assert found[1].offset == size + 1024


def test_duplicates_are_emitted_both() -> None:
    """Which one counts is decided by the merge."""
    tar = LayerBuilder().file("a", b"1").file("a", b"22").tar()
    assert [(e.number, e.path, e.size) for e in entries(tar)] == [(1, b"a", 1), (2, b"a", 2)]


def test_what_follows_the_end_is_ignored() -> None:
    """Two blocks of zeros end the archive, whatever lies behind them."""
    assert len(entries(header(b"a") + END + os.urandom(5000))) == 1
    assert entries(END) == []


def test_missing_end_blocks_are_accepted_between_members() -> None:
    """An archive that stops where a header would begin, or after one block of zeros, is whole."""
    whole = LayerBuilder().file("a", b"abc").tar(end=b"")
    assert len(entries(whole)) == len(entries(whole + bytes(512))) == 1


# Sparse files


def sparse_tar(tmp_path: Path, *options: str) -> tuple[bytes, bytes]:
    """Return GNU tar's archive of a sparse file of many pieces, and the file's contents."""
    path = tmp_path / "sparse"
    with path.open("wb") as file:
        for number in range(60):
            file.seek(number * 65536 + 8192)
            file.write(b"%04d" % number * 1024)
        file.truncate(60 * 65536)
    subprocess.run(
        ["tar", "-C", tmp_path, "-S", *options, "-cf", tmp_path / "t", "sparse"], check=True
    )
    return (tmp_path / "t").read_bytes(), path.read_bytes()


@pytest.mark.parametrize(
    "options",
    [
        ["--format=gnu"],
        ["--format=oldgnu"],
        ["--format=posix", "--sparse-version=0.0"],
        ["--format=posix", "--sparse-version=0.1"],
        ["--format=posix", "--sparse-version=1.0"],
    ],
    ids=lambda options: options[-1].lstrip("-"),
)
@pytest.mark.parametrize("chunk_size", [512, 1 << 16])
def test_sparse_formats_of_gnu_tar(tmp_path: Path, options: list[str], chunk_size: int) -> None:
    """The extents of each format put the file together again."""
    tar, expected = sparse_tar(tmp_path, *options)
    ((entry, _, extents),) = parse(tar, chunk_size)
    assert entry.path == b"sparse"
    assert entry.flags & SPARSE
    assert entry.size == len(expected)
    assert len(extents) >= 50
    contents = bytearray(entry.size)
    for offset, length, tar_offset in extents:
        contents[offset : offset + length] = tar[tar_offset : tar_offset + length]
    assert bytes(contents) == expected


@pytest.mark.parametrize(
    ("records", "contents", "reason"),
    [
        ([(b"GNU.sparse.map", b"0,5"), (b"GNU.sparse.size", b"4")], b"12345", "beyond"),
        ([(b"GNU.sparse.map", b"0,4"), (b"GNU.sparse.size", b"9")], b"12345", "stored"),
        ([(b"GNU.sparse.map", b"0,5")], b"12345", "number"),
        ([(b"GNU.sparse.map", b"0,5"), (b"GNU.sparse.size", b"9" * 20)], b"12345", "size"),
        ([(b"GNU.sparse.major", b"2"), (b"GNU.sparse.realsize", b"9")], b"12345", "unknown"),
        (
            [
                (b"GNU.sparse.major", b"1"),
                (b"GNU.sparse.minor", b"0"),
                (b"GNU.sparse.realsize", b"9"),
            ],
            b"900\n" * 128,
            "does not end",
        ),
    ],
)
def test_sparse_maps_that_lie_are_refused(
    records: list[tuple[bytes, bytes]], contents: bytes, reason: str
) -> None:
    """A map beyond the file, beyond what is stored, without an end or of another version."""
    tar = pax_header(records) + header(b"s", size=len(contents)) + padded(contents) + END
    assert reason in refused(tar)


def test_old_sparse_map_without_an_end_is_refused() -> None:
    """Extension blocks are bounded like extended headers."""
    tail = bytes(41) + bytes(96) + b"\x01" + octal(100, 12)
    block = header(b"s", typeflag=b"S", magic=b"ustar  \0", tail=tail)
    extension = octal(0, 12) * 42 + b"\x01" + bytes(7)
    assert "1 MiB" in refused(block + extension * 3000)


def test_the_end_is_told() -> None:
    """It is there with the second block of zeros, and not before."""
    reader = TarReader(lambda *_: None)
    for block, is_end in ((header(b"a"), False), (bytes(512), False), (bytes(512), True)):
        reader.feed(block)
        assert reader.has_ended is is_end
