"""From the lower tree into the upperdir."""

import errno
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import images
import pytest
from overlays import Core

from fuse.copy_up import copy_up
from fuse.remove import unlink

BIG = bytes(range(256)) * 5000


@pytest.fixture
def core(tmp_path: Path) -> Iterator[Core]:
    """One of each kind, with attributes."""
    layer = (
        images.LayerBuilder()
        .directory("a", mode=0o750, mtime=1000)
        .directory("a/b", mtime=2000)
        .file("a/b/file", BIG, mode=0o640, mtime=3000, xattrs={"user.k": b"v", "trusted.t": b"t"})
        .symlink("a/link", "target", mtime=4000)
        .fifo("a/fifo", mode=0o620)
        .device("a/null", "c", 1, 3, mode=0o666)
        .hard_link("a/again", "a/b/file")
    )
    with Core(tmp_path, [layer]) as made:
        yield made


def test_a_file_with_its_directories(core: Core) -> None:
    """Contents, mode, time and attributes are the lower ones'; the node keeps its number."""
    node = core.node("a/b/file")
    number = node.ino
    copy_up(core.overlay, node)
    path = core.upperdir / "a/b/file"
    assert path.read_bytes() == BIG
    assert (stat.S_IMODE(path.stat().st_mode), path.stat().st_mtime) == (0o640, 3000)
    assert os.listxattr(path) == ["user.k"]
    assert node.is_upper
    assert core.node("a/b/file").ino == number
    assert stat.S_IMODE((core.upperdir / "a").stat().st_mode) == 0o750
    assert (core.upperdir / "a").stat().st_mtime == 1000
    assert (core.upperdir / "a/b").stat().st_mtime == 2000


def test_once(core: Core) -> None:
    """A second copy-up changes nothing."""
    node = core.node("a/b/file")
    copy_up(core.overlay, node)
    before = (core.upperdir / "a/b/file").stat()
    copy_up(core.overlay, node)
    assert (core.upperdir / "a/b/file").stat() == before


def test_only_what_is_wanted(core: Core) -> None:
    """A file that is going to be cut off is not copied beyond that."""
    copy_up(core.overlay, core.node("a/b/file"), size=10)
    assert (core.upperdir / "a/b/file").read_bytes() == BIG[:10]


def test_other_kinds(core: Core) -> None:
    """Links and FIFOs are made; a device that may not be made is kept as an attribute."""
    for name in ("link", "fifo", "null"):
        copy_up(core.overlay, core.node(f"a/{name}"))
    assert os.readlink(core.upperdir / "a/link") == "target"
    assert (core.upperdir / "a/link").lstat().st_mtime == 4000
    assert stat.S_ISFIFO((core.upperdir / "a/fifo").stat().st_mode)
    status = core.overlay.status(core.node("a/null"))
    assert (stat.S_ISCHR(status.mode), status.rdev) == (True, os.makedev(1, 3))


def test_a_device_that_would_be_a_whiteout(tmp_path: Path) -> None:
    """A character device 0/0 of an image is still there after its copy-up."""
    with Core(tmp_path, [images.LayerBuilder().device("zero", "c", 0, 0)]) as core:
        copy_up(core.overlay, core.node("zero"))
        assert core.names() == [b"zero"]
        assert core.overlay.status(core.node("zero")).rdev == 0


def test_hard_links_come_along(core: Core) -> None:
    """The other name becomes a link to the copy, though the kernel never asked for it."""
    copy_up(core.overlay, core.node("a/b/file"))
    assert (core.upperdir / "a/again").stat().st_ino == (core.upperdir / "a/b/file").stat().st_ino


def test_a_removed_file_is_copied_without_a_name(core: Core) -> None:
    """A change to a file that is open and has no name any more needs no name."""
    node = core.node("a/b/file")
    core.node("a/again")
    for path in ("a/b/file", "a/again"):
        unlink(core.overlay, core.link(path))
    copy_up(core.overlay, node)
    assert os.pread(node.orphan_fd, 100, 0) == BIG[:100]
    assert os.fstat(node.orphan_fd).st_nlink == 0
    core.overlay.nodes.forget(node.ino, node.lookups)


def test_a_failure_leaves_nothing(core: Core, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk is an error, the object stays the lower one, the workdir is empty."""

    def full(*_: Any) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    for call in ("copy_file_range", "pwrite"):
        monkeypatch.setattr(os, call, full)
    node = core.node("a/b/file")
    with pytest.raises(OSError, match="No space") as caught:
        copy_up(core.overlay, node)
    assert caught.value.errno == errno.ENOSPC
    assert not node.is_upper
    assert core.in_workdir() == []
    assert not (core.upperdir / "a/b/file").exists()


def test_a_tar_that_has_become_shorter(core: Core, tmp_path: Path) -> None:
    """A damaged layer is EIO, not an endless loop."""
    os.truncate(tmp_path / "layers/0.tar", 4096)
    with pytest.raises(OSError, match="shorter") as caught:
        copy_up(core.overlay, core.node("a/b/file"))
    assert caught.value.errno == errno.EIO
