"""A folder as a layer."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from fuse.entry import Inode
from fuse.folder_lower import NUMBERS, FolderLower


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with one of each kind."""
    root = tmp_path / "layer"
    (root / "dir").mkdir(parents=True)
    (root / "dir/file").write_bytes(b"0123456789")
    (root / "link").symlink_to("dir/file")
    os.link(root / "dir/file", root / "again")
    os.mkfifo(root / "fifo")
    os.setxattr(root / "dir/file", "user.k", b"v")
    return root


@pytest.fixture
def lower(folder: Path) -> Iterator[FolderLower]:
    """That folder, opened."""
    made = opened(folder)
    yield made
    made.close()


def opened(folder: Path) -> FolderLower:
    """Open a folder."""
    return FolderLower(os.open(folder, os.O_RDONLY | os.O_DIRECTORY))


def found(lower: FolderLower, path: bytes) -> Inode:
    """Look a path up that is there."""
    inode = lower.root
    for name in path.split(b"/"):
        child = lower.lookup(inode, name)
        assert child is not None
        inode = child
    return inode


def test_what_there_is(lower: FolderLower, folder: Path) -> None:
    """Names, kinds, contents, links, attributes; a number below the bound, shared by hard links."""
    assert lower.names(lower.root) == [b"again", b"dir", b"fifo", b"link"]
    file = found(lower, b"dir/file")
    assert file.ino == (folder / "again").stat().st_ino == found(lower, b"again").ino < NUMBERS
    assert lower.read(file, 2, 3) == b"234"
    assert lower.read(file, 20, 3) == b""
    assert lower.xattrs(file) == {b"user.k": b"v"}
    assert lower.readlink(found(lower, b"link")) == b"dir/file"
    assert stat.S_ISFIFO(found(lower, b"fifo").mode)
    assert lower.lookup(lower.root, b"none") is None
    assert lower.statvfs().f_blocks > 0


def test_a_copy_keeps_holes(folder: Path, tmp_path: Path) -> None:
    """Of a sparse file only the data is copied."""
    with open(folder / "sparse", "wb") as file:
        file.seek(8 << 20)
        file.write(b"end")
    lower = opened(folder)
    try:
        inode = found(lower, b"sparse")
        with open(tmp_path / "copy", "w+b") as copy:
            lower.copy(inode, copy.fileno(), inode.size)
    finally:
        lower.close()
    assert (tmp_path / "copy").read_bytes() == (folder / "sparse").read_bytes()
    assert (tmp_path / "copy").stat().st_blocks < 1024


def test_whiteouts_of_the_kernel(folder: Path) -> None:
    """A device 0/0 hides its name; so does the attribute, in a directory that says it has some."""
    os.mknod(folder / "gone", stat.S_IFCHR, 0)
    (folder / "dir/gone").touch()
    os.setxattr(folder / "dir/gone", "user.overlay.whiteout", b"")
    os.setxattr(folder / "dir", "user.overlay.opaque", b"x")
    lower = opened(folder)
    try:
        assert b"gone" not in lower.names(lower.root)
        assert set(lower.hidden(lower.root)) == {b"gone"}
        assert lower.lookup(lower.root, b"gone") is None
        directory = found(lower, b"dir")
        assert set(lower.hidden(directory)) == {b"gone"}
        assert not lower.is_opaque(directory)
    finally:
        lower.close()


def test_whiteouts_of_layers(folder: Path) -> None:
    """`.wh.NAME` hides NAME and does not show itself; bookkeeping shows and hides nothing."""
    for name in (".wh.gone", ".wh.dir", ".wh..wh.plnk", ".wh."):
        (folder / name).touch()
    (folder / "dir/.wh..wh..opq").touch()
    lower = opened(folder)
    try:
        assert lower.names(lower.root) == [b"again", b"dir", b"fifo", b"link"]
        assert set(lower.hidden(lower.root)) == {b"gone", b"dir"}
        assert lower.is_opaque(found(lower, b"dir"))
        assert not lower.is_opaque(lower.root)
    finally:
        lower.close()


@pytest.mark.parametrize("name", ["user.overlay.opaque", "user.fuseoverlayfs.opaque"])
def test_opaque(folder: Path, name: str) -> None:
    """A directory that its attribute calls opaque is; the attribute is not shown."""
    os.setxattr(folder / "dir", name, b"y")
    lower = opened(folder)
    try:
        directory = found(lower, b"dir")
        assert lower.is_opaque(directory)
        assert b"user.overlay.opaque" not in lower.xattrs(directory)
    finally:
        lower.close()


def test_owners_that_could_not_be_stored(folder: Path) -> None:
    """The attribute says what an object is; a damaged one says nothing."""
    file = folder / "dir/file"
    os.setxattr(file, "user.containers.override_stat", b"7:8:4755:file")
    os.setxattr(folder / "dir", "user.containers.override_stat", b"nonsense")
    lower = opened(folder)
    try:
        inode = found(lower, b"dir/file")
        assert (inode.uid, inode.gid, inode.mode) == (7, 8, stat.S_IFREG | 0o4755)
        assert found(lower, b"dir").uid == os.getuid()
        assert lower.xattrs(inode) == {b"user.k": b"v"}
    finally:
        lower.close()


def test_no_way_out(folder: Path, tmp_path: Path) -> None:
    """A directory that became a link meanwhile is an error, not a way to somewhere else."""
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret/file").write_text("secret")
    lower = opened(folder)
    try:
        directory = found(lower, b"dir")
        (folder / "dir/file").unlink()
        (folder / "dir").rmdir()
        (folder / "dir").symlink_to(tmp_path / "secret")
        with pytest.raises(OSError, match=r"symbolic links|Not a directory"):
            lower.names(directory)
    finally:
        lower.close()
