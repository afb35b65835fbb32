"""`rootless.build.tree_source`: names and contents of images, read where they lie."""

import os
from pathlib import Path

import copying
import images

from rootless.build.copy_source import ROOT
from rootless.build.ignore import Ignore
from rootless.build.selection import pick
from rootless.build.tree_source import open_layers

LOWER = images.LayerBuilder().directory("d", uid=1).file("d/a", b"lower").file("d/gone", b"x")
UPPER = (
    images.LayerBuilder()
    .whiteout("d/gone")
    .file("d/a", b"upper", uid=5, gid=6, xattrs={"user.x": b"y", "user.overlay.z": b""})
    .hard_link("d/b", "d/a")
    .device("d/null", "c", 1, 3)
    .symlink("l", "d")
)


def test_a_chain_of_layers(stage: copying.Stage) -> None:
    """What the merged tree shows, with all that a layer wants of it."""
    stage.on(LOWER)
    stage.on(UPPER)
    with open_layers(stage.store, stage.state.diff_ids, "it") as source:
        assert source.keeps_owners
        root = source.lookup(ROOT)
        assert root is not None
        assert [node.path for node in source.children(root)] == [b"d", b"l"]
        folder = source.lookup(b"d")
        assert folder is not None
        assert [node.path for node in source.children(folder)] == [b"d/a", b"d/b", b"d/null"]
        first, second, device = source.children(folder)
        assert (first.uid, first.gid, first.size) == (5, 6, 5)
        assert first.identity == second.identity is not None
        assert device.rdev == os.makedev(1, 3)
        with source.open(first) as contents:
            assert b"".join(contents.chunks()) == b"upper"
            assert contents.xattrs == {b"user.x": b"y"}
        assert source.lookup(b"d/gone") is None
        assert source.lookup(b"l/a") is None  # nobody follows a link here


def test_nothing(stage: copying.Stage) -> None:
    """A stage without layers is an empty folder."""
    with open_layers(stage.store, (), "nothing") as source:
        root = source.lookup(ROOT)
        assert root is not None
        assert source.children(root) == []
        assert source.lookup(b"x") is None
        with source.open(root) as contents:
            assert contents.size == 0


def test_holes(stage: copying.Stage, tmp_path: Path) -> None:
    """A sparse file of a layer is one in the next."""
    with (tmp_path / "log").open("wb") as file:
        file.truncate(1 << 40)
        file.seek(1 << 30)
        file.write(b"data")
    context = stage.context(tmp_path)
    stage.tar("COPY log /", context)
    with open_layers(stage.store, stage.state.diff_ids, "it") as source:
        tar = stage.tar("COPY --from=it log /again", source)
    assert len(tar) < 1 << 20
    assert b"data" in tar


def test_another_process(stage: copying.Stage) -> None:
    """What was opened before a fork is opened anew after it."""
    stage.on(LOWER)
    with open_layers(stage.store, stage.state.diff_ids, "it") as source:
        (picked,) = pick(source, "d", Ignore())
        child = os.fork()
        if child == 0:
            again = pick(source, "d", Ignore())
            os._exit(0 if again == [picked] else 1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
