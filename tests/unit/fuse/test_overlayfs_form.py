"""Whiteouts in the kernel's form."""

import errno
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import images
import pytest
from overlays import Core, is_whiteout

from fuse import overlayfs_form, upper_files
from fuse.create import NewObject, make_directory
from fuse.remove import rmdir, unlink
from fuse.rename import rename
from fuse.renameat2 import renameat2

NEW = NewObject(0o700, os.getuid(), os.getgid())


@pytest.fixture
def core(tmp_path: Path) -> Iterator[Core]:
    """Two files in a folder."""
    layer = images.LayerBuilder().directory("dir").file("dir/a", b"1").file("dir/b", b"2")
    with Core(tmp_path, [layer]) as made:
        yield made


def refuse(*_: Any, **__: Any) -> None:
    """Fail as a file system without the feature does."""
    raise OSError(errno.EPERM, os.strerror(errno.EPERM))


def test_the_shared_whiteout(core: Core) -> None:
    """Its number is known as long as nothing else can have it, and hides what is linked to it."""
    hiding = core.overlay.upper.hiding
    assert hiding.shared == 0
    unlink(core.overlay, core.link("dir/a"))
    assert hiding.shared == os.lstat(core.upperdir / "dir/a").st_ino
    os.mknod(core.upperdir / "dir/b", stat.S_IFCHR)  # as another mount would have made it
    assert core.names("dir") == []
    hiding.close()
    assert hiding.shared == 0
    assert core.names("dir") == []


def test_whiteouts_where_device_nodes_are_refused(
    core: Core, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The attribute form is written, hides, and is noted on its directory."""
    monkeypatch.setattr(os, "mknod", refuse)
    unlink(core.overlay, core.link("dir/a"))
    path = core.upperdir / "dir/a"
    assert not is_whiteout(path)
    assert os.getxattr(path, "user.overlay.whiteout") == b"y"
    assert os.getxattr(core.upperdir / "dir", "user.overlay.opaque") == b"x"
    assert core.names("dir") == [b"b"]
    core.remounted()
    assert core.names("dir") == [b"b"]
    assert not core.exists("dir/a")


def test_a_whiteout_that_cannot_be_put_in_place(
    core: Core, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was made for it goes, and the name stays."""
    unlink(core.overlay, core.link("dir/b"))
    make_directory(core.overlay, core.link("dir/b"), NEW)
    with monkeypatch.context() as patched:
        patched.setattr(os, "rename", refuse)
        patched.setattr(upper_files, "renameat2", refuse)
        with pytest.raises(OSError, match="not permitted"):
            rmdir(core.overlay, core.link("dir/b"))
    assert core.in_workdir() == []
    assert core.names("dir") == [b"a", b"b"]


def test_where_names_cannot_be_exchanged(core: Core, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without any flag of renameat2(2), as on NFS, directories and whiteouts trade places too."""

    def plain(old_fd: int, old: bytes, new_fd: int, new: bytes, flags: int) -> None:
        if flags:
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
        renameat2(old_fd, old, new_fd, new, flags)

    monkeypatch.setattr(upper_files, "renameat2", plain)
    monkeypatch.setattr(overlayfs_form, "renameat2", plain)
    for name in ("dir/a", "dir/b"):
        unlink(core.overlay, core.link(name))
    rmdir(core.overlay, core.link("dir"))
    make_directory(core.overlay, core.link("dir"), NEW)
    make_directory(core.overlay, core.link("dir/sub"), NEW)
    make_directory(core.overlay, core.link("new"), NEW)
    rename(core.overlay, core.link("dir"), core.link("moved"), 0)
    rename(core.overlay, core.link("new"), core.link("dir"), 0)
    core.remounted()
    assert core.names() == [b"dir", b"moved"]
    assert core.names("dir") == []
    assert core.names("moved") == [b"sub"]
    assert core.in_workdir() == []
