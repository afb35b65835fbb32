"""`rootless.image.squashfs_layer`: addresses of files, and the chunks behind them."""

from pathlib import Path

import pytest
import squashfs_images as images

from fuse.chunk_table import ChunkTable
from fuse.index import IndexReader


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a folder with what is made of an image."""
    folder = tmp_path_factory.mktemp("layer")
    images.make_tree(folder / "root")
    (folder / "root" / ".wh.gone").write_text("no whiteout\n")
    images.build(images.squash(folder / "root", folder / "image.sqfs"), folder)
    return folder


def test_entries(built: Path) -> None:
    """Hard links are links, and a name of a whiteout is left out."""
    with IndexReader(built / "index") as index:
        entries = {entry.path: entry for entry in index.entries()}
        assert list(index.whiteouts()) == []
    links = [entries[name].flags for name in (b"small", b"zlinked", b"many/linked")]
    assert sorted(links) == [0, 1, 1]
    assert b".wh.gone" not in entries
    assert entries[b"link"].target == b"../small"
    assert entries[b"text"].flags & 2


def test_equal_files_share_addresses(built: Path) -> None:
    """What the image has once, the table has once; a file with holes has pieces."""
    with IndexReader(built / "index") as index:
        entries = {entry.path: entry for entry in index.entries()}
        pieces = [piece[1:] for piece in index.extents() if piece[0] == entries[b"sparse"].number]
        with_pieces = {number for number, *_ in index.extents()}
    assert entries[b"tail"].offset == entries[b"copy of tail"].offset
    assert entries[b"tail"].offset != entries[b"two"].offset
    assert entries[b"sparse"].flags & entries[b"hole"].flags & 4
    assert len(pieces) == 2
    assert entries[b"hole"].number not in with_pieces


def test_chunks(built: Path) -> None:
    """Chunks lie in the image's file, named by its whole path, fragments above all others."""
    with ChunkTable(built / "layer-chunks") as table:
        chunks = table.chunks()
        assert table.data == str(built / "image.sqfs")
    size = (built / "image.sqfs").stat().st_size
    assert all(each.place + each.stored <= size for each in chunks)
    fragments = [each for each in chunks if each.offset >= 1 << 48]
    assert 0 < len(fragments) < len(chunks)
    assert all(each.size <= images.BLOCK for each in chunks)
