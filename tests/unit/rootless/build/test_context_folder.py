"""`rootless.build.context_folder`: what is seen of a folder, and what is not."""

import os
import stat
from contextlib import closing
from pathlib import Path

import copying
import pytest

from rootless.build.context_folder import ContextFolder
from rootless.build.copy_source import ROOT
from rootless.build.ignore import Ignore
from rootless.errors import InvalidInput, NotFound


def test_what_is_there(tmp_path: Path) -> None:
    """Names in order, with all that a layer wants; owners are the container's root."""
    with closing(copying.a_context(tmp_path / "c", ("b", "a/x", "l -> a"))) as context:
        root = context.lookup(ROOT)
        assert root is not None
        assert [node.path for node in context.children(root)] == [b"a", b"b", b"l"]
        file = context.lookup(b"b")
        assert file is not None
        assert (file.size, file.uid, file.gid, file.identity) == (1, 0, 0, None)
        link = context.lookup(b"l")
        assert link is not None
        assert (stat.S_ISLNK(link.mode), link.target) == (True, b"a")
        assert context.lookup(b"none") is None
        assert context.lookup(b"b/x") is None
        os.link(tmp_path / "c/b", tmp_path / "c/b2")
        names = [context.lookup(name) for name in (b"b", b"b2")]
        assert names[0] is not None
        assert names[1] is not None
        assert names[0].identity == names[1].identity is not None


def test_links_are_not_the_kernels(tmp_path: Path) -> None:
    """No path with a link in it is looked up, wherever that leads."""
    with (
        closing(copying.a_context(tmp_path / "c", ("a/x", "l -> a", "out -> /etc"))) as context,
        pytest.raises(NotFound, match="cannot be read"),
    ):
        context.lookup(b"l/x")


def test_contents(tmp_path: Path) -> None:
    """A file is read where it is, with its attributes and its holes."""
    with closing(copying.a_context(tmp_path / "c", ("a",))) as context:
        path = tmp_path / "c/a"
        os.setxattr(path, "user.x", b"y")
        with path.open("wb") as file:
            file.truncate(8 << 20)
            file.seek(4 << 20)
            file.write(b"data")
        node = context.lookup(b"a")
        assert node is not None
        with context.open(node) as contents:
            assert contents.xattrs == {b"user.x": b"y"}
            assert contents.size == 8 << 20
            assert contents.stored < 1 << 20
            assert b"data" in b"".join(contents.chunks())


def test_one_that_is_exchanged(tmp_path: Path) -> None:
    """What is not the file that was looked up is not read, nor taken when it changed meanwhile."""
    with closing(copying.a_context(tmp_path / "c", ("a", "b"))) as context:
        node = context.lookup(b"a")
        assert node is not None
        with pytest.raises(InvalidInput, match="changed while it was read"), context.open(node):
            (tmp_path / "c/a").write_text("more")
        (tmp_path / "c/a").unlink()
        os.mkfifo(tmp_path / "c/a")  # opened without a wait
        with pytest.raises(InvalidInput, match="changed while it was read"), context.open(node):
            pass
        (tmp_path / "c/a").unlink()
        (tmp_path / "c/a").symlink_to("b")
        with pytest.raises(NotFound, match="cannot be read"), context.open(node):
            pass


def test_no_folder(tmp_path: Path) -> None:
    """The folder is named where there is none."""
    with pytest.raises(NotFound, match="none"):
        ContextFolder(str(tmp_path / "none"), Ignore())


def test_another_ignore_file(tmp_path: Path) -> None:
    """The same folder with other lines is open as long as the first."""
    context = copying.a_context(tmp_path / "c", ("a",))
    other = context.without(Ignore(b"a"))
    assert other.ignore.matches(b"a")
    assert not context.ignore.matches(b"a")
    assert other.lookup(b"a") is not None
    context.close()
    context.close()
