"""Whiteouts as names. The note in the upperdir's root asks for them, on any file system."""

import errno
import os
from collections.abc import Iterator
from pathlib import Path

import images
import pytest
from overlays import Core

from fuse.create import NewObject, make_directory, make_special
from fuse.dot_form import DotForm
from fuse.node import Link
from fuse.remove import rmdir, unlink
from fuse.rename import rename

NEW = NewObject(0o700, os.getuid(), os.getgid())


@pytest.fixture
def core(tmp_path: Path) -> Iterator[Core]:
    """A directory with two files, and an empty one."""
    layer = images.LayerBuilder().directory("dir").file("dir/a", b"1").file("dir/b", b"2")
    (tmp_path / "upper").mkdir()
    (tmp_path / "upper/.wh..wh.rootless").touch()
    with Core(tmp_path, [layer.directory("empty")]) as made:
        yield made


def test_the_note_decides(core: Core) -> None:
    """An upperdir that was begun so stays so where there are user xattrs, and is a new one yet."""
    assert core.upper.has_xattrs
    assert isinstance(core.upper.hiding, DotForm)
    assert core.upper.is_new
    assert core.names() == [b"dir", b"empty"]


def test_a_whiteout_is_a_name(core: Core) -> None:
    """The mark hides the name beside it and is no name of its own."""
    unlink(core.overlay, core.link("dir/a"))
    assert os.listdir(core.upperdir / "dir") == [".wh.a"]
    core.remounted()
    assert core.names("dir") == [b"b"]
    assert not core.exists("dir/a")
    assert not core.exists("dir/.wh.a")
    make_special(core.overlay, core.link("dir/a"), NEW)
    assert core.names("dir") == [b"a", b"b"]


def test_a_directory_beside_its_mark_is_opaque(core: Core) -> None:
    """A new directory shows nothing of the lower one, and goes as it came."""
    for name in ("dir/a", "dir/b"):
        unlink(core.overlay, core.link(name))
    rmdir(core.overlay, core.link("dir"))
    make_directory(core.overlay, core.link("dir"), NEW)
    assert core.names("dir") == []
    core.remounted()
    assert core.names("dir") == []
    rmdir(core.overlay, core.link("dir"))
    assert core.names() == [b"empty"]


def test_the_mark_of_a_layer_is_read(core: Core) -> None:
    """`.wh..wh..opq` in a directory makes it opaque, as fuse-overlayfs writes it."""
    make_special(core.overlay, core.link("dir/new"), NEW)
    (core.upperdir / "dir/.wh..wh..opq").touch()
    core.remounted()
    assert core.names("dir") == [b"new"]


def test_a_rename_that_fails_hides_nothing(core: Core, monkeypatch: pytest.MonkeyPatch) -> None:
    """The empty lower directory that was to be replaced is still there."""
    make_directory(core.overlay, core.link("new"), NEW)

    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patched:
        patched.setattr(os, "rename", refuse)
        with pytest.raises(OSError, match="No space"):
            rename(core.overlay, core.link("new"), core.link("empty"), 0)
    assert core.names() == [b"dir", b"empty", b"new"]
    rename(core.overlay, core.link("new"), core.link("empty"), 0)
    core.remounted()
    assert core.names() == [b"dir", b"empty"]


def test_a_device_whiteout_of_another_hand(core: Core) -> None:
    """A character device 0/0 hides too, and gives way to a directory."""
    make_directory(core.overlay, core.link("new"), NEW)
    os.mknod(core.upperdir / "dir", 0o020000, 0)
    core.remounted()
    assert core.names() == [b"empty", b"new"]
    rename(core.overlay, core.link("new"), core.link("dir"), 0)
    core.remounted()
    assert core.names("dir") == []
    assert core.names() == [b"dir", b"empty"]


def test_reserved_names(core: Core) -> None:
    """Nothing can be made under a name that begins with the mark."""
    with pytest.raises(PermissionError):
        make_special(core.overlay, Link(core.root, b".wh.x"), NEW)
