"""`rootless.image.merged_tar`: a tree, its tars and an upperdir as one archive."""

import os
import tarfile
from io import BytesIO
from pathlib import Path

import images
import pytest
import trees
from lockstep.lowers import sparse_member

from fuse.contents import TarContents
from fuse.tree import Tree
from fuse.upper_walk import UpperWalk
from rootless.errors import InvalidInput
from rootless.image.merged_tar import merged_chunks


def made(folder: Path, layers: list[images.Layer], upper: Path | None, **options: bool) -> bytes:
    """Return the tar of an upperdir over layers."""
    path = trees.build_tree(folder / "layers", layers)
    tars = [trees.tar_path(folder / "layers", number) for number in range(len(layers))]
    fd = os.open(upper, os.O_RDONLY) if upper is not None else -1
    try:
        with Tree.open(path) as tree, TarContents(tars) as contents:
            return b"".join(merged_chunks(UpperWalk(fd, tree), contents, **options))
    finally:
        if fd >= 0:
            os.close(fd)


def test_an_image_as_it_is(tmp_path: Path) -> None:
    """Every kind of object, with its owner, attributes and links, is as the tree has it."""
    tar = made(tmp_path, [images.small_layer()], None)
    again = trees.build_tree(tmp_path / "again", [tar])
    with Tree.open(again) as one, Tree.open(tmp_path / "layers" / "tree") as other:
        for (path, a), (other_path, b) in zip(one.walk(), other.walk(), strict=True):
            assert path == other_path
            assert a._replace(offset=0) == b._replace(offset=0)
            assert one.xattrs(a.ino) == other.xattrs(b.ino)


def test_upper_and_lower_in_one_order(tmp_path: Path) -> None:
    """What was changed stands among what was not; times of an image's files stay."""
    upper = tmp_path / "upper"
    (upper / "etc").mkdir(parents=True)
    (upper / "etc" / "motd").write_text("new\n")
    with tarfile.open(fileobj=BytesIO(made(tmp_path, [images.small_layer()], upper))) as archive:
        found = archive.getnames()
        assert found.index("etc/motd") + 1 == found.index("etc/mtab")
        assert archive.getmember("etc/passwd").mtime == images.MTIME
        file = archive.extractfile("etc/motd")
        assert file is not None
        assert file.read() == b"new\n"


def test_holes_stay_holes(tmp_path: Path) -> None:
    """A sparse file of a layer is one in the archive, with the same contents."""
    layer = images.LayerBuilder().raw(sparse_member(b"a", 40_000, [(8192, b"one")]))
    tar = made(tmp_path, [layer], None)
    assert len(tar) < 20_000
    with tarfile.open(fileobj=BytesIO(tar)) as archive:
        file = archive.extractfile("a")
        assert file is not None
        assert file.read() == bytes(8192) + b"one" + bytes(40_000 - 8195)


def test_marks_are_names_but_in_a_layer(tmp_path: Path) -> None:
    """An archive may hold `.wh.x`; a layer of everything may not."""
    (tmp_path / "upper").mkdir()
    (tmp_path / "upper" / ".wh.x").touch()
    layers: list[images.Layer] = [images.small_layer()]
    assert b".wh.x" in made(tmp_path, layers, tmp_path / "upper")
    with pytest.raises(InvalidInput, match="rename"):
        made(tmp_path, layers, tmp_path / "upper", is_layer=True)
