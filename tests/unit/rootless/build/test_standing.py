"""`rootless.build.standing`: a layer has the folders that its members lie in, as they are."""

import io
import tarfile
from pathlib import Path

import images
from trees import build_tree

from rootless.build.destination import Destination
from rootless.build.standing import Standing
from rootless.image.names import Located

BASE = (
    images.LayerBuilder()
    .directory("a", mode=0o2750, uid=3, gid=4, mtime=1_600_000_000.5, xattrs={"user.x": b"y"})
    .directory("a/b", mode=0o700)
    .symlink("a/link", "b")
    .file("a/file")
)


def standing(tmp_path: Path, latest_ns: int | None, *paths: bytes) -> list[tarfile.TarInfo]:
    """Return the members that come before those of these paths."""
    located = Located(build_tree(tmp_path / "tree", [BASE]), ())
    with Destination(located) as destination:
        given = Standing(destination, latest_ns)
        tar = b"".join(chunk for path in paths for chunk in given.above(path))
    with tarfile.open(fileobj=io.BytesIO(tar + images.END)) as archive:
        return archive.getmembers()


def test_each_once_and_outermost_first(tmp_path: Path) -> None:
    """What the image has, not what the layer makes, nor the root; a link is no folder."""
    members = standing(tmp_path, None, b"top", b"a/b/c", b"a/b/c/d", b"a/e", b"new", b"new/f")
    assert [each.name for each in members] == ["a", "a/b"]
    assert standing(tmp_path, None, b"a", b"a/x") == []


def test_as_it_is(tmp_path: Path) -> None:
    """Mode, owner, time and attributes; a time no later than the latest."""
    (first,) = standing(tmp_path, None, b"a/x")
    assert (first.mode, first.uid, first.gid, first.mtime) == (0o2750, 3, 4, 1_600_000_000.5)
    assert first.pax_headers["SCHILY.xattr.user.x"] == "y"
    (first,) = standing(tmp_path, 10**18, b"a/x")
    assert first.mtime == 10**9
