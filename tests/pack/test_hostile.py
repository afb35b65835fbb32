"""Packs that are damaged, or made to harm: one error of ours, bounded memory and time."""

import hashlib
import os
import random
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard
from executable import Rootless

from fuse.contents import TarContents
from fuse.database import IndexFormatError
from fuse.pack_file import Codec, Kind, PackFile, Section, front
from fuse.tree import Tree
from rootless.errors import RootlessError
from rootless.image.meant import resolve
from rootless.image.store import Store

_LINE = b"an image for rootless run FILE\n"


def _resealed(pack: Path, out: Path, kind: Kind, change: Callable[[bytes], bytes]) -> Path:
    """Write a pack with one section changed, and all digests right."""
    data = pack.read_bytes()
    fd = os.open(pack, os.O_RDONLY)
    try:
        opened = PackFile(fd, pack)
        section = opened.require(kind)
        changed = change(opened.read(section))
    finally:
        os.close(fd)
    stored = zstandard.compress(changed) if section.codec == Codec.ZSTD else changed
    new = section._replace(
        offset=len(data),
        stored=len(stored),
        size=len(changed),
        digest=hashlib.sha256(stored).digest(),
    )
    return _with_sections(
        data + stored, out, [new if each == section else each for each in opened.sections]
    )


def _with_sections(data: bytes, out: Path, sections: list[Section]) -> Path:
    begin = front(sections, line=_LINE, size=len(data))
    out.write_bytes(begin + data[len(begin) :])
    return out


def _use(path: Path, store: Path) -> str:
    """Read a pack as a run does, and all of its files; return how that ended."""
    try:
        image = resolve(Store(store, store), str(path))
        assert image.place is not None
        with Tree.open(image.place.tree) as tree, TarContents(image.place.layers) as contents:
            for count, (_, inode) in enumerate(tree.walk()):
                if count > 5000:  # a tree that goes in circles
                    return "circle"
                if inode.mode & 0o170000 == 0o100000:
                    extents = tree.extents(inode.ino) if inode.sparse else ()
                    contents.read(inode, extents, 0, min(inode.size, 1 << 20))
    except (RootlessError, IndexFormatError, OSError) as error:
        return type(error).__name__
    except (TypeError, OverflowError, ValueError, KeyError) as error:  # the server's EIO
        return f"answered as EIO: {type(error).__name__}"
    return "read"


@pytest.mark.parametrize("kind", [Kind.TREE, Kind.CHUNK_TABLE])
def test_flipped_databases(kind: Kind, packs: dict[str, Path], tmp_path: Path) -> None:
    """Whatever a tree or a chunk table says, reading ends, and nothing crashes."""
    chance = random.Random(kind)
    until = time.monotonic() + 5
    ends = set()
    for _ in range(60):

        def change(data: bytes) -> bytes:
            changed = bytearray(data)
            for _ in range(chance.randrange(1, 30)):
                changed[chance.randrange(len(changed))] = chance.randrange(256)
            return bytes(changed)

        ends.add(_use(_resealed(packs["zstd"], tmp_path / "x", kind, change), tmp_path))
        if time.monotonic() > until:
            break
    assert "read" in ends or len(ends) > 1


def test_flipped_front(packs: dict[str, Path], tmp_path: Path) -> None:
    """A changed front is refused, or was of no meaning."""
    data = packs["none"].read_bytes()
    chance = random.Random(0)
    for _ in range(60):
        changed = bytearray(data)
        place = chance.randrange(64, 2000)
        changed[place] ^= chance.randrange(1, 256)
        (tmp_path / "x").write_bytes(changed)
        assert _use(tmp_path / "x", tmp_path) in ("IntegrityError", "InvalidInput", "read")


def test_a_database_with_more_than_tables(packs: dict[str, Path], tmp_path: Path) -> None:
    """A view in a tree's place is not asked: a query of it may never end."""

    def change(data: bytes) -> bytes:
        database = sqlite3.connect(":memory:", isolation_level=None)
        database.deserialize(data)
        database.execute("ALTER TABLE inode RENAME TO other")
        endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n"
        database.execute(f"CREATE VIEW inode AS {endless}")
        changed = database.serialize()
        database.close()
        return changed

    pack = _resealed(packs["none"], tmp_path / "x", Kind.TREE, change)
    with pytest.raises(IndexFormatError, match="a view where tables are"):
        Tree.open(pack)


@pytest.mark.parametrize("claimed", [1 << 40, (1 << 64) - 1, 200 << 20])
def test_bombs(claimed: int, packs: dict[str, Path], tmp_path: Path, rootless: Rootless) -> None:
    """A section that would decode to far more than it is, is not decoded."""
    data = packs["none"].read_bytes()
    fd = os.open(packs["none"], os.O_RDONLY)
    sections = list(PackFile(fd, "x").sections)
    os.close(fd)
    tree = next(each for each in sections if each.kind == Kind.TREE)
    stored = zstandard.compress(bytes(200 << 20))
    bomb = tree._replace(
        offset=len(data),
        stored=len(stored),
        size=claimed,
        digest=hashlib.sha256(stored).digest(),
    )
    sections[sections.index(tree)] = bomb
    pack = _with_sections(data + stored, tmp_path / "x", sections)
    done = rootless("run", pack)
    assert done.status == 125
    assert (
        done.stderr
        == f"rootless: damaged pack: {pack}: a section is too large (copy or make it again)\n"
    )


def test_circles(packs: dict[str, Path], tmp_path: Path, rootless: Rootless) -> None:
    """A directory in itself ends no command late: it is refused where a tree is walked."""

    def change(data: bytes) -> bytes:
        database = sqlite3.connect(":memory:", isolation_level=None)
        database.deserialize(data)
        database.execute(
            "INSERT INTO dirent SELECT ino, CAST('again' AS BLOB), 1 FROM inode "
            "WHERE ino > 1 AND mode & 0xf000 = 0x4000 LIMIT 1"
        )
        changed = database.serialize()
        database.close()
        return changed

    pack = _resealed(packs["none"], tmp_path / "x", Kind.TREE, change)
    rootless.ok("create", "--name", "box", pack)
    done = rootless("export", "-o", tmp_path / "out.tar", "box")
    assert done.status == 125
    assert "is found twice" in done.stderr
    rootless.ok("rm", "box")


def test_layers_of_another_image(packs: dict[str, Path], tmp_path: Path, small: Rootless) -> None:
    """A tree that shows what the layers do not have is found by a check."""

    def change(data: bytes) -> bytes:
        database = sqlite3.connect(":memory:", isolation_level=None)
        database.deserialize(data)
        database.execute("UPDATE inode SET mode = mode | 2048 WHERE ino > 1")
        changed = database.serialize()
        database.close()
        return changed

    pack = _resealed(packs["none"], tmp_path / "x", Kind.TREE, change)
    done = small("pack", "--verify", pack)
    assert done.status == 125
    assert "its tree is not that of its layers" in done.stderr


def test_cut(packs: dict[str, Path], tmp_path: Path, rootless: Rootless) -> None:
    """A pack that was copied half-way is refused before anything runs."""
    data = packs["zstd"].read_bytes()
    for size in (100, 200, 2000, len(data) // 2, len(data) - 1):
        (tmp_path / "x").write_bytes(data[:size])
        done = rootless("run", tmp_path / "x")
        assert done.status == 125
        assert done.stderr.count("\n") == 1
