"""Removals without whiteouts: what a mount shows, and what is left on the disk."""

import os
import stat
import time
from collections.abc import Iterator
from pathlib import Path

import images
import pytest
from overlays import Core, is_whiteout, shown_names

from fuse.change import Changes, change
from fuse.create import NewObject, create_file, make_directory, make_symlink
from fuse.node import Link
from fuse.remove import rmdir, unlink
from fuse.rename import rename
from fuse.unwritten import Unwritten

NEW = NewObject(0o755, os.getuid(), os.getgid())
FOLDER = ("dir/a", "dir/b", "dir/sub/c")


@pytest.fixture
def core(tmp_path: Path) -> Iterator[Core]:
    """A tree of folders over an upperdir that nobody reads."""
    layer = images.LayerBuilder().file("file", b"1").hard_link("dir/linked", "file")
    for path in FOLDER:
        layer = layer.file(path, path.encode())
    with Core(tmp_path, [layer]) as made:
        made.overlay.unwritten = Unwritten(room=100)
        yield made


def test_a_whole_folder_leaves_one_whiteout(core: Core) -> None:
    """What was in it was hidden in memory, and its directories were never made."""
    for path in (*FOLDER, "dir/linked"):
        unlink(core.overlay, core.link(path))
    assert core.names("dir") == [b"sub"]
    rmdir(core.overlay, core.link("dir/sub"))
    assert os.listdir(core.upperdir) == []
    rmdir(core.overlay, core.link("dir"))
    assert core.names() == [b"file"]
    assert os.listdir(core.upperdir) == ["dir"]
    assert is_whiteout(core.upperdir / "dir")
    assert core.overlay.status(core.node("file")).nlink == 1


def test_a_name_that_is_hidden(core: Core) -> None:
    """It is nowhere, and its directory has changed just now."""
    before = time.time_ns()
    unlink(core.overlay, core.link("dir/a"))
    assert not core.exists("dir/a")
    assert core.names("dir") == [b"b", b"linked", b"sub"]
    status = core.overlay.status(core.node("dir"))
    assert before <= status.mtime_ns == status.ctime_ns <= time.time_ns()
    assert status.nlink == 1
    with pytest.raises(FileNotFoundError):
        unlink(core.overlay, core.link("dir/a"))


def test_its_directory_is_kept(core: Core) -> None:
    """What the kernel forgets does not come back with it."""
    unlink(core.overlay, core.link("dir/sub/c"))
    node = core.node("dir/sub")
    core.overlay.nodes.forget(node.ino, node.lookups)
    assert not core.exists("dir/sub/c")
    assert core.names("dir/sub") == []


def test_copied_up_afterwards(core: Core) -> None:
    """The hidden names stay hidden, and the copy has the time of the removal."""
    unlink(core.overlay, core.link("dir/a"))
    changed_ns = core.overlay.status(core.node("dir")).mtime_ns
    os.close(create_file(core.overlay, core.link("dir/new"), NEW).fd)
    assert core.overlay.status(core.node("dir")).mtime_ns >= changed_ns
    assert core.names("dir") == [b"b", b"linked", b"new", b"sub"]
    unlink(core.overlay, core.link("dir/b"))
    assert is_whiteout(core.upperdir / "dir" / "b")
    assert core.names("dir") == [b"linked", b"new", b"sub"]


def test_the_copy_has_the_time(core: Core) -> None:
    """A directory below is copied up with it, and is itself left as it was."""
    unlink(core.overlay, core.link("dir/a"))
    changed_ns = core.overlay.status(core.node("dir")).mtime_ns
    make_directory(core.overlay, core.link("dir/sub/new"), NEW)
    assert core.overlay.status(core.node("dir")).mtime_ns == changed_ns


def test_made_anew(core: Core) -> None:
    """A directory is opaque, a file is itself, and without it the name is hidden again."""
    for path in ("dir/a", "dir/sub/c"):
        unlink(core.overlay, core.link(path))
    rmdir(core.overlay, core.link("dir/sub"))
    made = make_directory(core.overlay, core.link("dir/sub"), NEW)
    make_symlink(core.overlay, core.link("dir/a"), b"target", NEW)
    assert shown_names(core.overlay, made) == []
    assert core.overlay.readlink(core.node("dir/a")) == b"target"
    unlink(core.overlay, core.link("dir/a"))
    assert not core.exists("dir/a")
    rmdir(core.overlay, core.link("dir/sub"))
    assert core.names("dir") == [b"b", b"linked"]


def test_moved_onto(core: Core) -> None:
    """A name that is hidden is a free one, for a file and for a directory."""
    for path in ("dir/a", "dir/sub/c"):
        unlink(core.overlay, core.link(path))
    rmdir(core.overlay, core.link("dir/sub"))
    rename(core.overlay, core.link("file"), core.link("dir/a"), 0)
    make_directory(core.overlay, Link(core.root, b"new"), NEW)
    rename(core.overlay, core.link("new"), core.link("dir/sub"), 0)
    assert core.names() == [b"dir"]
    assert core.names("dir") == [b"a", b"b", b"linked", b"sub"]
    assert core.names("dir/sub") == []
    assert stat.S_ISREG(core.overlay.status(core.node("dir/a")).mode)


def test_a_directory_is_replaced(core: Core) -> None:
    """One that has become empty in memory is, for rename(2)."""
    unlink(core.overlay, core.link("dir/sub/c"))
    make_directory(core.overlay, Link(core.root, b"new"), NEW)
    rename(core.overlay, core.link("new"), core.link("dir/sub"), 0)
    assert core.names("dir/sub") == []


def test_open_and_removed(core: Core) -> None:
    """Who has it open still has it, and may change it."""
    node = core.node("dir/a")
    unlink(core.overlay, core.link("dir/a"))
    status = core.overlay.status(node)
    assert (status.nlink, status.size) == (0, len("dir/a"))


def test_an_open_directory(core: Core) -> None:
    """It can be changed when it is gone, as one of any other file system."""
    for each in ("dir", "dir/sub"):
        core.node(each)
    node = core.node("dir/sub")
    unlink(core.overlay, core.link("dir/sub/c"))
    rmdir(core.overlay, core.link("dir/sub"))
    change(core.overlay, node, Changes(mode=0o700, mtime_ns=5))
    status = core.overlay.status(node)
    assert (stat.S_IMODE(status.mode), status.mtime_ns) == (0o700, 5)
    assert shown_names(core.overlay, node) == []
    assert core.in_workdir() == []


def test_room(tmp_path: Path) -> None:
    """Where there is none whiteouts are made; a removed directory gives its own back."""
    layer = images.LayerBuilder().file("dir/a").file("dir/b").file("other/c").file("other/d")
    with Core(tmp_path, [layer]) as core:
        core.overlay.unwritten = Unwritten(room=1)
        unlink(core.overlay, core.link("dir/a"))
        unlink(core.overlay, core.link("dir/b"))
        assert is_whiteout(core.upperdir / "dir" / "b")
        assert not (core.upperdir / "dir" / "a").exists()
        rmdir(core.overlay, core.link("dir"))
        unlink(core.overlay, core.link("other/c"))
        assert not (core.upperdir / "other").exists()
        assert core.names() == [b"other"]
        assert core.names("other") == [b"d"]
