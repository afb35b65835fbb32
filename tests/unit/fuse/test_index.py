"""The index of one layer, written while the tar streams past."""

from pathlib import Path

import pytest
from images import CAP_NET_RAW, END, LayerBuilder, header, padded, pax_header, small_layer
from trees import build_index, parse

from fuse.database import IndexFormatError
from fuse.entry import HAS_XATTRS, SPARSE, Entry
from fuse.index import IndexBuilder, IndexReader, IndexStatistics, IndexWriter
from fuse.tar_reader import TarFormatError
from fuse.whiteout import Whiteout


def test_the_index_gives_what_the_reader_emitted(tmp_path: Path) -> None:
    """Entries come back in the tar's order, field for field."""
    path = build_index(tmp_path / "i", small_layer())
    with IndexReader(path) as index:
        assert list(index.entries()) == [entry for entry, _, _ in parse(small_layer().tar())]
        ((number, name, value),) = index.xattrs()
        assert (name, value) == (b"security.capability", CAP_NET_RAW)
        (ping,) = [entry for entry in index.entries() if entry.flags & HAS_XATTRS]
        assert (ping.number, ping.path) == (number, b"usr/bin/ping")


def test_statistics_count_members_files_and_bytes(tmp_path: Path) -> None:
    """Whiteouts and hard links are members, and no files."""
    layer = LayerBuilder().file("a", b"12345").hard_link("b", "a").file("c", b"1").whiteout("gone")
    with IndexBuilder(tmp_path / "i") as builder:
        builder.feed(layer.tar())
        assert builder.finish() == IndexStatistics(entries=4, files=2, bytes=6)


def test_whiteouts_are_kept_apart(tmp_path: Path) -> None:
    """They are no entries; bookkeeping of aufs is nothing at all."""
    layer = (
        LayerBuilder()
        .whiteout("a/b")
        .opaque("c")
        .file(".wh..wh.aufs")
        .directory(".wh..wh.plnk")
        .file(".wh..wh.plnk/1.2")
        .file("d")
    )
    with IndexReader(build_index(tmp_path / "i", layer)) as index:
        assert [entry.path for entry in index.entries()] == [b"d"]
        assert list(index.whiteouts()) == [
            Whiteout(b"a/b", is_opaque=False),
            Whiteout(b"c", is_opaque=True),
        ]


@pytest.mark.parametrize("name", [".wh.", "d/.wh...", ".wh.a/b"])
def test_whiteouts_of_nothing_are_refused(tmp_path: Path, name: str) -> None:
    """The error is the archive's, with place and name."""
    with (
        IndexBuilder(tmp_path / "i") as builder,
        pytest.raises(TarFormatError, match=r"whiteout .*at byte 0"),
    ):
        builder.feed(LayerBuilder().file(name).tar())


def test_extents_of_sparse_files_are_kept(tmp_path: Path) -> None:
    """Each piece with its place in the file and in the tar."""
    records = [(b"GNU.sparse.map", b"10,5,100,5"), (b"GNU.sparse.size", b"200")]
    tar = pax_header(records) + header(b"s", size=10) + padded(b"1234567890") + END
    with IndexReader(build_index(tmp_path / "i", tar)) as index:
        (entry,) = index.entries()
        assert (entry.size, entry.flags) == (200, SPARSE)
        assert list(index.extents()) == [(1, 10, 5, entry.offset), (1, 100, 5, entry.offset + 5)]


def test_more_entries_than_one_batch(tmp_path: Path) -> None:
    """Rows are written in batches, and none is lost at their borders."""
    layer = LayerBuilder()
    for number in range(8193):
        layer.file(f"{number}")
    with IndexReader(build_index(tmp_path / "i", layer)) as index:
        assert [int(entry.path) for entry in index.entries()] == list(range(8193))


def test_an_unfinished_index_is_not_taken(tmp_path: Path) -> None:
    """A builder that was closed early leaves nothing that a reader accepts."""
    with IndexBuilder(tmp_path / "i") as builder:
        builder.feed(small_layer().tar())
    builder.close()
    with pytest.raises(IndexFormatError), IndexReader(tmp_path / "i") as index:
        list(index.entries())


def test_a_truncated_tar_is_refused(tmp_path: Path) -> None:
    """The end is checked when it is declared."""
    with IndexBuilder(tmp_path / "i") as builder:
        builder.feed(small_layer().tar()[:700])
        with pytest.raises(TarFormatError, match="truncated"):
            builder.finish()


def test_a_damaged_index_is_refused(tmp_path: Path) -> None:
    """Bytes overwritten in the middle end in IndexFormatError, not in SQLite's own."""
    layer = LayerBuilder()
    for number in range(2000):
        layer.file(f"some/longer/name/{number}")
    path = build_index(tmp_path / "i", layer)
    contents = bytearray(path.read_bytes())
    contents[4096 * 6 :] = b"\xff" * (len(contents) - 4096 * 6)
    path.write_bytes(contents)
    with IndexReader(path) as index, pytest.raises(IndexFormatError, match="damaged"):
        list(index.entries())


def test_a_layer_without_a_tar_has_its_members_named(tmp_path: Path) -> None:
    """The file is the same as if a tar had said it; whiteouts come by name."""
    layer = small_layer().whiteout("gone").tar()
    build_index(tmp_path / "by tar", layer)
    with IndexWriter(tmp_path / "by name") as writer:
        for entry, xattrs, extents in parse(layer):
            writer.add(entry, xattrs, extents)
        statistics = writer.finish()
    assert (tmp_path / "by name").read_bytes() == (tmp_path / "by tar").read_bytes()
    with IndexBuilder(tmp_path / "again") as builder:
        builder.feed(layer)
        assert builder.finish() == statistics


def test_whiteouts_are_members_too(tmp_path: Path) -> None:
    """They count as members, as those of a tar do."""
    with IndexWriter(tmp_path / "i") as writer:
        for number, path in enumerate((b"a/.wh.b", b".wh..wh..opq"), 1):
            writer.add(Entry(number, path, 0o100644, 0, 0, 0, 0, 0, 0, b"", 0))
        assert writer.finish() == IndexStatistics(entries=2, files=0, bytes=0)
    with IndexReader(tmp_path / "i") as index:
        assert list(index.whiteouts()) == [
            Whiteout(b"a/b", is_opaque=False),
            Whiteout(b"", is_opaque=True),
        ]


def test_a_named_whiteout_of_nothing_is_refused(tmp_path: Path) -> None:
    """Whoever names the members says in which layer it stands."""
    entry = Entry(1, b"d/.wh.", 0o100644, 0, 0, 0, 0, 0, 0, b"", 0)
    with IndexWriter(tmp_path / "i") as writer, pytest.raises(ValueError, match="whiteout"):
        writer.add(entry)
