"""`fuse.packed_chunks`: which packs are compressed."""

import os
from pathlib import Path

import packs
import pytest

from fuse.contents import TarContents
from fuse.packed_chunks import chunk_table_in
from fuse.tree import Tree
from rootless.image.store import Store
from rootless.paths import Paths


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """Make an empty store."""
    root = tmp_path / "store"
    return Store.open(Paths(root, tmp_path / "run", root / "scratch"), create=True)


def test_other_files(tmp_path: Path) -> None:
    """Tars, short files and packs of plain tars have none."""
    for data in (b"", b"x" * 70, bytes(10240)):
        (tmp_path / "file").write_bytes(data)
        fd = os.open(tmp_path / "file", os.O_RDONLY)
        assert chunk_table_in(fd, tmp_path / "file") is None
        os.close(fd)


@pytest.mark.parametrize("compress", [0, 3])
def test_contents(store: Store, tmp_path: Path, compress: int) -> None:
    """A pack's contents are read through the pack alone."""
    pack = packs.packed(store, tmp_path, compress)
    fd = os.open(pack, os.O_RDONLY)
    table = chunk_table_in(fd, pack)
    os.close(fd)
    assert (table is not None) == bool(compress)
    if table is not None:
        assert (table.data, table.present) == (str(pack), "")
        table.close()
    with Tree.open(pack) as tree, TarContents([pack]) as contents:
        inode = tree.resolve(b"data/large")
        assert inode is not None
        assert contents.read(inode, (), 0, inode.size) == packs.FILE
        assert contents.read(inode, (), 300_000, 100) == packs.FILE[300_000:300_100]
