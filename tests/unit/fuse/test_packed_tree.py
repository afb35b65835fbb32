"""`fuse.packed_tree`: the tree of layers that lie in one file."""

import os
import sqlite3
from pathlib import Path

import images
import pytest
import trees as built

from fuse.database import IndexFormatError, open_memory
from fuse.packed_tree import APPLICATION_ID, open_tree, shift_tree
from fuse.tree import Tree


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A tree of two layers, with a sparse file and xattrs."""
    lower = images.small_layer()
    upper = images.LayerBuilder().directory("made").file("made/by-upper", b"u")
    upper.file("data", b"d", xattrs={"user.a": b"b"})
    return built.build_tree(tmp_path / "t", [lower, upper])


def test_shifted(tree: Path, tmp_path: Path) -> None:
    """Every object is of layer 0, where its own layer lies; all else is the same."""
    shift_tree(tree, tmp_path / "out", [4096, 1 << 20])
    with Tree.open(tree) as before, Tree.open(tmp_path / "out") as after:
        pairs = list(zip(before.walk(), after.walk(), strict=True))
        for (path, old), (same, new) in pairs:
            assert path == same
            place = (4096, 1 << 20)[old.layer] if old.layer >= 0 else 0
            assert new == old._replace(layer=min(old.layer, 0), offset=old.offset + place)
            assert before.xattrs(old.ino) == after.xattrs(new.ino)
            assert before.children(old.ino) != [] or after.children(new.ino) == []
    assert {old.layer for (_, old), _ in pairs} >= {0, 1}


def test_sparse(tmp_path: Path) -> None:
    """The pieces of a sparse file are shifted with it."""
    index = tmp_path / "t"
    layer = images.LayerBuilder().file("plain", b"x" * 600)
    tree = built.build_tree(index, [layer, layer])
    with sqlite3.connect(tree) as database:
        database.execute("UPDATE inode SET sparse = 1 WHERE size = 600")
        (ino,) = database.execute("SELECT ino FROM inode WHERE size = 600").fetchone()
        database.execute("INSERT INTO extent VALUES (?, 0, 10, 512)", (ino,))
    database.close()
    shift_tree(tree, tmp_path / "out", [100, 1000])
    with Tree.open(tmp_path / "out") as after:
        assert after.extents(ino) == ((0, 10, 1512),)


def test_same_bytes(tree: Path, tmp_path: Path) -> None:
    """The same tree gives the same bytes."""
    for name in ("one", "two"):
        shift_tree(tree, tmp_path / name, [4096, 8192])
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_in_memory(tree: Path) -> None:
    """A tree's bytes are as good as its file, and nothing can be written to them."""
    database = open_memory(tree.read_bytes(), "x", application_id=APPLICATION_ID, version=2)
    (count,) = database.execute("SELECT count(*) FROM inode").fetchone()
    assert count > 5
    with pytest.raises(sqlite3.OperationalError):
        database.execute("DELETE FROM inode")
    database.close()
    for data in (b"", b"no database", os.urandom(8192)):
        with pytest.raises(IndexFormatError):
            open_memory(data, "x", application_id=APPLICATION_ID, version=2)


def test_files_of_their_own(tree: Path) -> None:
    """A tree that is a file is read as one."""
    database, is_packed = open_tree(tree)
    database.close()
    assert not is_packed
