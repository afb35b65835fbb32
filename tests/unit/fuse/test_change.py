"""Changes to an object, with and without a name."""

import errno
import os
import stat
from collections.abc import Iterator
from pathlib import Path

import images
import pytest
from overlays import Core

from fuse.change import Changes, change, remove_xattr, set_xattr, xattr, xattr_names
from fuse.copy_up import copy_up
from fuse.create import NewObject, make_special
from fuse.node import Node
from fuse.remove import unlink


@pytest.fixture
def core(tmp_path: Path) -> Iterator[Core]:
    """A file with an attribute, and a link."""
    layer = (
        images.LayerBuilder()
        .file("file", b"contents", mtime=1000, xattrs={"user.k": b"v"})
        .symlink("link", "file")
    )
    with Core(tmp_path, [layer]) as made:
        yield made


@pytest.fixture(params=["named", "removed"])
def node(request: pytest.FixtureRequest, core: Core) -> Iterator[Node]:
    """The file, and the same after it has lost its name."""
    node = core.node("file")
    if request.param == "removed":
        unlink(core.overlay, core.link("file"))
    yield node
    core.overlay.nodes.forget(node.ino, node.lookups)


def test_size(core: Core, node: Node) -> None:
    """Shorter and longer, by name or by an open file."""
    change(core.overlay, node, Changes(size=3))
    assert core.overlay.status(node).size == 3
    change(core.overlay, node, Changes(size=5))
    assert core.overlay.status(node).size == 5


def test_mode_owner_times(core: Core, node: Node) -> None:
    """Each alone leaves the others as they are."""
    change(core.overlay, node, Changes(mode=0o100604))
    change(core.overlay, node, Changes(uid=os.getuid()))
    change(core.overlay, node, Changes(gid=os.getgid()))
    change(core.overlay, node, Changes(mtime_ns=5_000_000_001))
    change(core.overlay, node, Changes(atime_ns=6_000_000_001))
    status = core.overlay.status(node)
    assert (stat.S_IMODE(status.mode), status.uid, status.gid) == (
        0o604,
        os.getuid(),
        os.getgid(),
    )
    assert (status.mtime_ns, status.atime_ns) == (5_000_000_001, 6_000_000_001)


def test_attributes(core: Core, node: Node) -> None:
    """Those of the image come along; new ones are set, all can be removed."""
    overlay = core.overlay
    assert xattr(overlay, node, b"user.k") == b"v"
    assert xattr_names(overlay, node) == [b"user.k"]
    with pytest.raises(OSError, match="No data"):
        remove_xattr(overlay, node, b"user.none")
    assert not node.is_upper
    set_xattr(overlay, node, b"user.overlay.x", b"mine")
    assert sorted(xattr_names(overlay, node)) == [b"user.k", b"user.overlay.x"]
    assert xattr(overlay, node, b"user.overlay.x") == b"mine"
    remove_xattr(overlay, node, b"user.k")
    assert xattr_names(overlay, node) == [b"user.overlay.x"]
    with pytest.raises(OSError, match="No data"):
        xattr(overlay, node, b"user.k")


def test_a_link_itself(core: Core) -> None:
    """Times of a symbolic link are its own."""
    change(core.overlay, core.node("link"), Changes(mtime_ns=7))
    assert (core.upperdir / "link").lstat().st_mtime_ns == 7
    assert not (core.upperdir / "file").exists()


def test_the_note_of_an_owner_is_not_the_programs(core: Core) -> None:
    """A program can neither set nor see what would make its file another owner's."""
    node, name = core.node("file"), b"user.containers.override_stat"
    with pytest.raises(PermissionError):
        set_xattr(core.overlay, node, name, b"0:0:4755")
    copy_up(core.overlay, node)
    os.setxattr(core.upperdir / "file", os.fsdecode(name), b"0:0:0644")
    for use in (xattr, remove_xattr):
        with pytest.raises(OSError, match=os.strerror(errno.ENODATA)):
            use(core.overlay, node, name)
    core.overlay.nodes.forget(node.ino, node.lookups)


def test_a_name_of_no_kind(core: Core) -> None:
    """An attribute outside of Linux's four kinds is not supported, rather than absent."""
    with pytest.raises(OSError, match=os.strerror(errno.EOPNOTSUPP)):
        xattr(core.overlay, core.root, b"other.name")


def test_a_fifo_without_a_name(core: Core) -> None:
    """What can be done to a FIFO that is still open can be done after its removal."""
    overlay = core.overlay
    node = make_special(overlay, core.link("pipe"), NewObject(0o010600, os.getuid(), os.getgid()))
    node.lookups += 1
    unlink(overlay, core.link("pipe"))
    change(overlay, node, Changes(mode=0o644, uid=os.getuid(), mtime_ns=7))
    status = overlay.status(node)
    assert (status.mode, status.mtime_ns) == (0o010644, 7)
    assert xattr_names(overlay, node) == []
    with pytest.raises(OSError, match=os.strerror(errno.ENODATA)):
        xattr(overlay, node, b"security.capability")
    overlay.nodes.forget(node.ino, 1)
