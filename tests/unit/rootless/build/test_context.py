"""`rootless.build.context`: folders and archives, and which ignore file counts."""

import gzip
import os
import sys
from pathlib import Path

import copying
import images
import pytest

from rootless.build.context import opened
from rootless.build.copy_source import resolve
from rootless.errors import IntegrityError, InvalidInput, NotFound

LAYER = (
    images.LayerBuilder()
    .file("Containerfile", b"FROM scratch\n")
    .file(".dockerignore", b"*.md\n")
    .file("d/a", b"a" * 3000, uid=7, gid=8, mode=0o4755)
    .file("d/x.md", b"")
    .file("y.md", b"")
    .symlink("l", "d")
    .hard_link("d/h", "d/a")
)


def test_an_archive(stage: copying.Stage, tmp_path: Path) -> None:
    """An archive gives what its folder would, and leaves nothing in the store."""
    path = tmp_path / "context.tar.gz"
    path.write_bytes(gzip.compress(LAYER.tar()))
    with opened(stage.store, str(path)) as context:
        assert context.folder == ""
        assert context.read("Containerfile", 100) == b"FROM scratch\n"
        assert context.read("y.md", 100) == b""  # the ignore file is COPY's
        assert context.read("none", 100) is None
        with pytest.raises(InvalidInput, match="too large"):
            context.read("d/a", 100)
        lines = stage.do("COPY . /x", context.source())
    assert lines == [
        "folder 755 0:0 x",
        "file 644 0:0 x/.dockerignore = *.md\n",
        "file 644 0:0 x/Containerfile = FROM scratch\n",
        "folder 755 0:0 x/d",
        f"file 755 0:0 x/d/a = {'a' * 60}",
        "name 755 0:0 x/d/h -> x/d/a",
        "file 644 0:0 x/d/x.md = ",
        "link 777 0:0 x/l -> d",
    ]
    assert not list(stage.store.root.rglob(".tmp-*"))


def test_standard_input(
    stage: copying.Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`-` is an archive on standard input."""
    path = tmp_path / "context.tar"
    path.write_bytes(LAYER.tar())
    with path.open() as file:
        monkeypatch.setattr(sys, "stdin", file)
        with opened(stage.store, "-") as context:
            assert context.read("Containerfile", 100) == b"FROM scratch\n"


def test_which_ignore_file_counts(stage: copying.Stage, tmp_path: Path) -> None:
    """The one that is named, then that of the Containerfile, then the context's."""
    folder = tmp_path / "c"
    stage.context(folder, ("a", "b", "c", "d"))
    (folder / ".dockerignore").write_text("a")

    def left_out(**names: str) -> list[str]:
        with opened(stage.store, str(folder), **names) as context:
            assert context.folder == str(folder)
            return [each for each in "abcd" if context.source().ignore.matches(each.encode())]

    assert left_out() == ["a"]
    (folder / ".containerignore").write_text("b")
    assert left_out() == ["b"]
    (folder / "File.dockerignore").write_text("c")
    assert left_out(containerfile=str(folder / "File")) == ["c"]
    (tmp_path / "mine").write_text("d")
    assert left_out(ignorefile=str(tmp_path / "mine"), containerfile="File") == ["d"]
    with pytest.raises(NotFound, match="none"):
        left_out(ignorefile=str(tmp_path / "none"))
    (folder / ".containerignore").write_text("[")
    with pytest.raises(InvalidInput, match=r"\.containerignore:1: \["):
        left_out()


def test_what_is_no_context(stage: copying.Stage, tmp_path: Path) -> None:
    """Neither folder nor archive, or an archive with names that no image can have."""
    with pytest.raises(NotFound, match="cannot be read"), opened(stage.store, str(tmp_path / "n")):
        pass
    path = tmp_path / "f"
    path.write_text("text " * 500)
    with pytest.raises(IntegrityError, match="not a valid layer"), opened(stage.store, str(path)):
        pass
    path.write_bytes(images.LayerBuilder().whiteout("d/f").tar())
    with pytest.raises(IntegrityError, match=r"begins with \.wh\..*d/f"):
        opened(stage.store, str(path)).__enter__()
    assert not list(stage.store.root.rglob(".tmp-*"))


def test_links_out_of_an_archive(stage: copying.Stage, tmp_path: Path) -> None:
    """A link of an archive leads nowhere but into it."""
    path = tmp_path / "f"
    path.write_bytes(images.LayerBuilder().symlink("up", "../x").symlink("abs", "/etc").tar())
    with opened(stage.store, str(path)) as context:
        with pytest.raises(InvalidInput, match="leads out of the build context"):
            resolve(context.source(), b"up")
        assert resolve(context.source(), b"abs") is None
    assert os.path.exists("/etc")
