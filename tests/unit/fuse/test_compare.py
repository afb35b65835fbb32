"""`fuse.compare`: files that say the same, and files that do not."""

import sqlite3
from collections.abc import Callable
from pathlib import Path

import images
import pytest
import trees

from fuse import compare
from fuse.index import IndexBuilder
from fuse.merge import merge

LAYER = (
    images.small_layer()
    .whiteout("gone")
    .file("attributes", b"x", xattrs={"user.a": b"1", "user.b": b"2"})
)


def index(path: Path, layer: images.LayerBuilder = LAYER) -> Path:
    """Write the index of a layer."""
    with IndexBuilder(path) as builder:
        builder.feed(layer.tar())
        builder.finish()
    return path


def tree(path: Path) -> Path:
    """Write the tree of the layer alone."""
    merge([index(path.with_suffix(".index"))], path)
    return path


def changed(path: Path, sql: str) -> None:
    """Change a finished file."""
    database = sqlite3.connect(path, isolation_level=None)
    database.execute(sql)
    database.close()


def test_the_same(tmp_path: Path) -> None:
    """Two files that were made alike are alike, also where SQLite has laid one out anew."""
    one, other = index(tmp_path / "1"), index(tmp_path / "2")
    assert compare.index_difference(one, other) == ""
    changed(one, "VACUUM")
    assert compare.index_difference(one, other) == ""
    assert compare.tree_difference(tree(tmp_path / "a"), tree(tmp_path / "b")) == ""
    assert trees.listing(tmp_path / "a") == trees.listing(tmp_path / "b")


@pytest.mark.parametrize(
    ("sql", "what"),
    [
        ("UPDATE entry SET mode = mode | 2048 WHERE path = x'6574632f706173737764'", "of entry"),
        ("DELETE FROM entry WHERE number = (SELECT max(number) FROM entry)", "rows of entry"),
        ("UPDATE xattr SET value = '3' WHERE name = CAST('user.a' AS BLOB)", "rows of xattr"),
        ("DELETE FROM whiteout", "rows of whiteout"),
        ("INSERT INTO extent VALUES (1, 0, 1, 0)", "rows of extent"),
        ("CREATE TABLE more (x)", "it has other tables"),
        ("PRAGMA user_version = 7", "format 7"),
        ("PRAGMA application_id = 7", "not a file of this kind"),
    ],
)
def test_other_rows(tmp_path: Path, sql: str, what: str) -> None:
    """A row more, less or changed, a table more, another format: each is told."""
    one, other = index(tmp_path / "1"), index(tmp_path / "2")
    changed(one, sql)
    assert what in compare.index_difference(one, other)


@pytest.mark.parametrize(
    ("make", "difference", "fault"),
    [
        (index, compare.index_difference, compare.index_fault),
        (tree, compare.tree_difference, compare.tree_fault),
    ],
)
def test_damage(
    make: Callable[[Path], Path],
    difference: Callable[[Path, Path], str],
    fault: Callable[[Path], str],
    tmp_path: Path,
) -> None:
    """Bytes that are no database, and pages overwritten or lost, are told, not raised."""
    whole = make(tmp_path / "whole")
    data = whole.read_bytes()
    kept = tmp_path / "kept"
    for damaged in (b"", b"nothing of ours" * 100, data[: len(data) // 2]):
        kept.write_bytes(damaged)
        assert difference(kept, whole)
    kept.write_bytes(b"")
    assert fault(kept)
    kept.write_bytes(data[:4096] + b"\xff" * (len(data) - 4096))
    assert difference(kept, whole)
    assert fault(whole) == ""


def test_a_name_changed_in_place(tmp_path: Path) -> None:
    """A byte of a name, which leaves the file well-formed, is found."""
    one, other = tree(tmp_path / "1"), tree(tmp_path / "2")
    data = one.read_bytes()
    position = data.rindex(b"passwd")
    one.write_bytes(data[:position] + b"q" + data[position + 1 :])
    assert compare.tree_difference(one, other)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    """That is the caller's to know: the kernel's error comes through."""
    with pytest.raises(FileNotFoundError):
        compare.index_difference(tmp_path / "none", index(tmp_path / "1"))
