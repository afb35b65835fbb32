"""Renames in the upperdir, where the file system lacks what makes them one step."""

import errno
import os
from collections.abc import Iterator
from pathlib import Path

import images
import pytest
from overlays import Core, is_whiteout

from fuse import overlayfs_form
from fuse.create import NewObject, make_directory, make_special
from fuse.node import Link
from fuse.remove import unlink
from fuse.rename import rename
from fuse.renameat2 import EXCHANGE, NOREPLACE, WHITEOUT, renameat2

NEW = NewObject(0o755, os.getuid(), os.getgid())


@pytest.fixture
def core(tmp_path: Path) -> Iterator[Core]:
    """A file and two folders."""
    layer = images.LayerBuilder().file("a", b"1").directory("dir").directory("empty")
    with Core(tmp_path, [layer]) as made:
        yield made


def test_leaves_a_whiteout(core: Core) -> None:
    """The old name of a lower object is hidden."""
    node = core.node("a")
    rename(core.overlay, core.link("a"), core.link("dir/b"), 0)
    assert core.names() == [b"dir", b"empty"]
    assert is_whiteout(core.upperdir / "a")
    assert core.node("dir/b") is node


def test_without_rename_whiteout(core: Core, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the file system has no RENAME_WHITEOUT, two steps do the same."""

    def refuse(old_fd: int, old: bytes, new_fd: int, new: bytes, flags: int) -> None:
        if flags == WHITEOUT:
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
        renameat2(old_fd, old, new_fd, new, flags)

    monkeypatch.setattr(overlayfs_form, "renameat2", refuse)
    rename(core.overlay, core.link("a"), core.link("dir/b"), 0)
    assert is_whiteout(core.upperdir / "a")
    assert (core.upperdir / "dir/b").read_bytes() == b"1"


def test_lower_directories_stay(core: Core) -> None:
    """EXDEV, for an exchange of either side too."""
    make_special(core.overlay, Link(core.root, b"new"), NEW)
    for old, new, flags in (("dir", "x", 0), ("dir", "new", EXCHANGE), ("new", "dir", EXCHANGE)):
        with pytest.raises(OSError, match="cross-device") as caught:
            rename(core.overlay, core.link(old), core.link(new), flags)
        assert caught.value.errno == errno.EXDEV


def test_flags(core: Core) -> None:
    """NOREPLACE and EXCHANGE look at the target; unknown flags are EINVAL."""
    make_special(core.overlay, Link(core.root, b"new"), NEW)
    with pytest.raises(FileExistsError):
        rename(core.overlay, core.link("new"), core.link("a"), NOREPLACE)
    with pytest.raises(FileNotFoundError):
        rename(core.overlay, core.link("new"), core.link("nothing"), EXCHANGE)
    with pytest.raises(OSError, match="Invalid"):
        rename(core.overlay, core.link("new"), core.link("x"), WHITEOUT)


def test_onto_itself(core: Core) -> None:
    """Two names of one file: nothing happens."""
    rename(core.overlay, core.link("a"), core.link("a"), 0)
    assert core.exists("a")


def test_a_directory_onto_a_whiteout(core: Core) -> None:
    """The whiteout makes room; where the old name hid something it goes there."""
    core.node("a")
    unlink(core.overlay, core.link("a"))
    make_directory(core.overlay, core.link("dir/new"), NEW)
    node = core.node("dir/new")
    rename(core.overlay, core.link("dir/new"), core.link("a"), 0)
    assert core.node("a") is node
    assert core.names("dir") == []
    assert sorted(os.listdir(core.upperdir / "dir")) == []
    assert os.getxattr(core.upperdir / "a", "user.overlay.opaque") == b"y"


def test_the_replaced_file_lives_on(core: Core) -> None:
    """A file that is replaced while it is open keeps its contents for who has it open."""
    make_special(core.overlay, Link(core.root, b"new"), NEW)
    make_special(core.overlay, Link(core.root, b"old"), NEW)
    target = core.node("old")
    (core.upperdir / "old").write_bytes(b"held")
    rename(core.overlay, core.link("new"), core.link("old"), 0)
    assert os.pread(target.orphan_fd, 10, 0) == b"held"
    assert core.overlay.status(target).nlink == 0
    core.overlay.nodes.forget(target.ino, target.lookups)
