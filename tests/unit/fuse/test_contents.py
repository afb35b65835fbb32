"""Contents read straight out of the layers' tars."""

import errno
import os
import subprocess
from pathlib import Path

import pytest
from chunks import ENCODERS, code
from images import LayerBuilder
from trees import build_tree, tar_path

from fuse.contents import TarContents
from fuse.entry import Inode
from fuse.tree import Tree


def opened(folder: Path, layers: list[LayerBuilder | bytes], path: bytes) -> tuple[Tree, Inode]:
    """Build and open a tree, and find one file of it."""
    tree = Tree.open(build_tree(folder, layers))
    inode = tree.resolve(path)
    assert inode is not None
    return tree, inode


@pytest.mark.parametrize(
    ("offset", "size", "expected"),
    [
        (0, 100, b"0123456789"),
        (0, 3, b"012"),
        (3, 4, b"3456"),
        (8, 4096, b"89"),
        (10, 1, b""),
        (99, 1, b""),
        (0, 0, b""),
    ],
)
def test_a_read_ends_where_the_file_ends(
    tmp_path: Path, offset: int, size: int, expected: bytes
) -> None:
    """Never a byte of the next member."""
    layers: list[LayerBuilder | bytes] = [
        LayerBuilder().file("a", b"x"),
        LayerBuilder().file("b", b"0123456789").file("c", b"y"),
    ]
    tree, inode = opened(tmp_path, layers, b"b")
    with tree, TarContents([tar_path(tmp_path, 0), tar_path(tmp_path, 1)]) as lower:
        assert lower.read(inode, (), offset, size) == expected


def test_a_sparse_file_reads_as_it_was(tmp_path: Path) -> None:
    """Holes are zeros, whichever way a read cuts them."""
    original = tmp_path / "sparse"
    with original.open("wb") as file:
        for number in range(8):
            file.seek(number * 40960 + 4096)
            file.write(bytes([number + 1]) * 8192)
        file.truncate(400000)
    subprocess.run(["tar", "-C", tmp_path, "-S", "-cf", tmp_path / "t.tar", "sparse"], check=True)
    folder = tmp_path / "tree"
    tree, inode = opened(folder, [(tmp_path / "t.tar").read_bytes()], b"sparse")
    with tree, TarContents([tar_path(folder, 0)]) as lower:
        extents = tree.extents(inode.ino)
        assert len(extents) >= 8
        contents = original.read_bytes()
        for step in (1 << 20, 4096, 10007):
            pieces = [
                lower.read(inode, extents, offset, step) for offset in range(0, inode.size, step)
            ]
            assert b"".join(pieces) == contents


def test_a_tar_that_became_shorter_is_an_io_error(tmp_path: Path) -> None:
    """A short read is never passed off as the end of the file."""
    tree, inode = opened(tmp_path, [LayerBuilder().file("a", b"x" * 1000)], b"a")
    with tree, TarContents([tar_path(tmp_path, 0)]) as lower:
        with tar_path(tmp_path, 0).open("r+b") as file:
            file.truncate(inode.offset + 10)
        with pytest.raises(OSError, match="shorter") as caught:
            lower.read(inode, (), 0, 1000)
        assert caught.value.errno == errno.EIO


def test_tars_are_read_by_descriptor(tmp_path: Path) -> None:
    """What happens to their names later does not matter."""
    tree, inode = opened(tmp_path, [LayerBuilder().file("a", b"abc")], b"a")
    with tree, TarContents([tar_path(tmp_path, 0)]) as lower:
        tar_path(tmp_path, 0).unlink()
        assert lower.read(inode, (), 0, 3) == b"abc"
        assert lower.read_raw(0, inode.offset, 2) == b"ab"
        assert lower.read_raw(0, 1 << 40, 2) == b""


def test_a_missing_tar_leaves_none_open(tmp_path: Path) -> None:
    """Those opened before it are closed again."""
    (tmp_path / "a").touch()
    with pytest.raises(FileNotFoundError):
        TarContents([tmp_path / "a", tmp_path / "none"])
    lower = TarContents([tmp_path / "a"])
    lower.close()
    lower.close()


@pytest.mark.parametrize("codec", ENCODERS)
def test_a_compressed_layer_reads_like_its_tar(tmp_path: Path, codec: int) -> None:
    """Beside a plain one; parts, runs and copies, and a sparse file's holes."""
    original = tmp_path / "sparse"
    with original.open("wb") as file:
        file.seek(40_960)
        file.write(b"data" * 10_000)
        file.truncate(400_000)
    subprocess.run(["tar", "-C", tmp_path, "-S", "-cf", tmp_path / "t.tar", "sparse"], check=True)
    layers = [LayerBuilder().file("a", b"x"), LayerBuilder().file("b", b"0123456789" * 9000)]
    tree = Tree.open(build_tree(tmp_path, [*layers, (tmp_path / "t.tar").read_bytes()]))
    table = [code(tar_path(tmp_path, number), codec) for number in (1, 2)]
    with tree, TarContents([tar_path(tmp_path, 0), *table]) as contents:
        plain, big, sparse = (tree.resolve(name) for name in (b"a", b"b", b"sparse"))
        assert plain is not None
        assert big is not None
        assert sparse is not None
        assert contents.read(plain, (), 0, 9) == b"x"
        assert contents.read(big, (), 9_995, 50_010) == (b"0123456789" * 9000)[9_995:60_005]
        assert contents.read_raw(1, big.offset, 20) == b"01234567890123456789"
        assert (
            len(contents.read_raw(1, 1000, 1 << 30)) == tar_path(tmp_path, 1).stat().st_size - 1000
        )
        assert contents.piece(big, 0, 65_536) is None
        extents = tree.extents(sparse.ino)
        assert contents.read(sparse, extents, 0, 1 << 20) == original.read_bytes()
        with (tmp_path / "copy").open("w+b") as file:
            contents.copy(sparse, extents, file.fileno(), 1 << 20)
            assert file.read() == original.read_bytes()
            assert os.fstat(file.fileno()).st_blocks * 512 < 300_000
