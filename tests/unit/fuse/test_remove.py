"""Names that go."""

import os
from collections.abc import Iterator
from pathlib import Path

import images
import pytest
from overlays import Core, is_whiteout, shown_names

from fuse.create import NewObject, make_directory, make_special
from fuse.node import Link
from fuse.remove import rmdir, unlink

NEW = NewObject(0o755, os.getuid(), os.getgid())


@pytest.fixture
def core(tmp_path: Path) -> Iterator[Core]:
    """A file with two names, folders."""
    layer = (
        images.LayerBuilder()
        .file("a", b"1")
        .hard_link("b", "a")
        .directory("dir")
        .file("dir/f")
        .directory("empty")
    )
    with Core(tmp_path, [layer]) as made:
        yield made


def test_a_lower_name(core: Core) -> None:
    """A whiteout, and one link less on the other name."""
    core.node("a")
    unlink(core.overlay, core.link("a"))
    assert is_whiteout(core.upperdir / "a")
    assert core.overlay.status(core.node("b")).nlink == 1


def test_an_upper_name(core: Core) -> None:
    """Nothing is left; the file stays for who has it open, until forgotten."""
    node = make_special(core.overlay, Link(core.root, b"new"), NEW)
    node.lookups = 1
    unlink(core.overlay, core.link("new"))
    assert os.listdir(core.upperdir) == []
    assert core.overlay.status(node).nlink == 0
    core.overlay.nodes.forget(node.ino, 1)
    assert core.overlay.nodes.known(node.ino) is None


def test_directories(core: Core) -> None:
    """Only empty ones go, of either half."""
    with pytest.raises(OSError, match="not empty"):
        rmdir(core.overlay, core.link("dir"))
    with pytest.raises(NotADirectoryError):
        rmdir(core.overlay, core.link("a"))
    unlink(core.overlay, core.link("dir/f"))
    rmdir(core.overlay, core.link("dir"))
    rmdir(core.overlay, core.link("empty"))
    node = make_directory(core.overlay, core.link("new"), NEW)
    node.lookups = 1
    rmdir(core.overlay, core.link("new"))
    assert core.names() == [b"a", b"b"]
    assert shown_names(core.overlay, node) == []
    core.overlay.nodes.forget(node.ino, 1)
    assert core.in_workdir() == []


def test_what_is_not_there(core: Core) -> None:
    """ENOENT."""
    with pytest.raises(FileNotFoundError):
        unlink(core.overlay, core.link("nothing"))
