"""`fuse.upper_walk`: what an upperdir in either form says of the tree below it."""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import images
import pytest
import trees

from fuse.ownership import OVERRIDE_STAT, OverrideStat, Squash
from fuse.tree import Tree
from fuse.upper_walk import Changed, Hidden, Untouched, UpperFormError, UpperWalk
from fuse.whiteout import DOT_FORM_NOTE

LAYER = (
    images.LayerBuilder()
    .directory("./")
    .directory("a")
    .file("a/one", b"1")
    .file("a/two", b"2", uid=7, gid=8)
    .directory("a/sub")
    .file("a/sub/x", b"x")
    .directory("b")
    .file("b/y", b"y", uid=os.getuid(), gid=os.getgid())
)


@pytest.fixture
def upper(tmp_path: Path) -> Path:
    """An empty upperdir."""
    path = tmp_path / "upper"
    path.mkdir()
    return path


@contextmanager
def walk(upper: Path, uids: Squash | None = None) -> Iterator[UpperWalk]:
    """Give a walk of an upperdir over LAYER."""
    fd = os.open(upper, os.O_RDONLY | os.O_DIRECTORY)
    try:
        with Tree.open(trees.build_tree(upper.parent / "layers", [LAYER])) as tree:
            yield UpperWalk(fd, tree, uids, uids)
    finally:
        os.close(fd)


def told(upper: Path) -> list[str]:
    """Return one line for each change."""
    lines = []
    with walk(upper) as found:
        for each in found.changes():
            if isinstance(each, Hidden):
                lines.append(f"{'-' if each.by_opaque else '!'} {each.path.decode()}")
            else:
                mark = "o" if each.is_opaque else "c" if each.covers else "+"
                lines.append(f"{mark} {each.path.decode()}")
    return lines


def whiteout(path: Path) -> None:
    """Make the device 0/0."""
    os.mknod(path, stat.S_IFCHR, 0)


def dot_form(upper: Path) -> None:
    """Begin an upperdir in the form of a layer."""
    (upper / os.fsdecode(DOT_FORM_NOTE)).touch()


@pytest.mark.needs_user
def test_whiteouts_stand_where_their_names_do(upper: Path) -> None:
    """Names that are gone, in order; one that hides nothing is not told."""
    (upper / "a").mkdir()
    whiteout(upper / "a" / "one")
    whiteout(upper / "a" / "nothing")
    (upper / "a" / ".hidden").touch()
    (upper / "new").touch()
    whiteout(upper / "b")
    assert told(upper) == ["c ", "! b", "c a", "+ a/.hidden", "! a/one", "+ new"]


def test_an_opaque_directory_hides_what_it_covers(upper: Path) -> None:
    """What it covers is gone without whiteouts, below it too; names that came back do not cover."""
    (upper / "a" / "sub").mkdir(parents=True)
    os.setxattr(upper / "a", "user.overlay.opaque", b"y")
    (upper / "a" / "one").touch()
    assert told(upper) == ["c ", "o a", "+ a/one", "+ a/sub", "- a/sub/x", "- a/two"]


def test_an_opaque_directory_over_nothing(upper: Path) -> None:
    """Such a mark says nothing."""
    (upper / "new").mkdir()
    os.setxattr(upper / "new", "user.overlay.opaque", b"y")
    assert told(upper) == ["c ", "+ new"]


def test_whiteouts_as_attributes(upper: Path) -> None:
    """Empty files with the attribute count in a directory that says so, and nowhere else."""
    for name in ("a", "b"):
        (upper / name).mkdir()
        (upper / name / "one").touch()
        (upper / name / "y").touch()
        os.setxattr(upper / name / "one", "user.overlay.whiteout", b"y")
        os.setxattr(upper / name / "y", "user.overlay.whiteout", b"y")
    os.setxattr(upper / "a", "user.overlay.opaque", b"x")
    assert told(upper) == ["c ", "c a", "! a/one", "c b", "+ b/one", "c b/y"]


def test_marks_as_names(upper: Path) -> None:
    """In the other form a mark hides its name, and makes a directory beside it opaque."""
    dot_form(upper)
    (upper / "a").mkdir()
    (upper / ".wh.a").touch()
    (upper / ".wh.b").touch()
    (upper / "a" / ".wh.one").touch()
    (upper / "a" / ".wh.two").touch()
    (upper / "a" / "two").touch()
    assert told(upper) == ["c ", "! b", "o a", "- a/one", "- a/sub", "+ a/two"]


def test_an_opaque_mark_inside(upper: Path) -> None:
    """`.wh..wh..opq` makes its directory opaque; bookkeeping is nothing."""
    dot_form(upper)
    (upper / "a").mkdir()
    (upper / "a" / ".wh..wh..opq").touch()
    (upper / "a" / ".wh..wh.plnk").touch()
    assert told(upper) == ["c ", "o a", "- a/one", "- a/sub", "- a/two"]


def test_names_like_marks_are_names_in_the_kernels_form(upper: Path) -> None:
    """There `.wh.x` is an ordinary file."""
    (upper / ".wh.b").touch()
    assert told(upper) == ["c ", "+ .wh.b"]


def one(upper: Path, path: bytes, uids: Squash | None = None) -> Changed:
    """Return an object as it is told."""
    with walk(upper, uids) as found:
        (each,) = (each for each in found.changes() if each.path == path)
        assert isinstance(each, Changed)
        return each


def test_noted_owners_and_kinds(upper: Path) -> None:
    """What could not be stored is told as noted, and the note is not."""
    (upper / "null").touch()
    note = OverrideStat(5, 6, stat.S_IFCHR | 0o666, os.makedev(1, 3)).to_bytes()
    os.setxattr(upper / "null", OVERRIDE_STAT, note)
    os.setxattr(upper / "null", "user.mine", b"m")
    each = one(upper, b"null")
    assert (each.mode, each.uid, each.gid) == (stat.S_IFCHR | 0o666, 5, 6)
    assert each.rdev == os.makedev(1, 3)
    assert each.xattrs == {b"user.mine": b"m"}
    assert each.fd == -1


def test_an_owner_that_is_not_mapped_comes_back(upper: Path) -> None:
    """What the mount showed as another's, for want of an ID, is the image's owner's again."""
    (upper / "a").mkdir()
    (upper / "a" / "two").touch()
    uids = Squash(((0, 1),), os.getuid())
    assert one(upper, b"a/two", uids).uid == 7
    assert one(upper, b"a/two").uid == os.getuid()


def test_links_and_targets(upper: Path) -> None:
    """Names of one file have one identity; a link has its target."""
    (upper / "f").write_text("text")
    os.link(upper / "f", upper / "g")
    (upper / "l").symlink_to("f")
    assert one(upper, b"f").identity == one(upper, b"g").identity is not None
    assert one(upper, b"l").target == b"f"
    assert one(upper, b"l").identity is None


def test_what_another_overlay_wrote_is_refused(upper: Path) -> None:
    """A redirect leads to what only that overlay finds."""
    (upper / "moved").mkdir()
    os.setxattr(upper / "moved", "user.overlay.redirect", b"/a")
    with pytest.raises(UpperFormError, match="moved"):
        told(upper)


def test_everything_that_shows(upper: Path) -> None:
    """Upper and lower objects come in one order, each once."""
    (upper / "a").mkdir()
    (upper / "a" / "three").touch()
    (upper / "a" / "one").touch()
    with walk(upper) as found:
        merged = [(each.path, isinstance(each, Untouched)) for each in found.merged()]
    assert merged == [
        *((b"", False), (b"a", False), (b"a/one", False), (b"a/sub", True), (b"a/sub/x", True)),
        *((b"a/three", False), (b"a/two", True), (b"b", True), (b"b/y", True)),
    ]


def test_without_an_upperdir(upper: Path) -> None:
    """Nothing was changed, and all of the tree shows."""
    with Tree.open(trees.build_tree(upper.parent / "layers", [LAYER])) as tree:
        found = UpperWalk(-1, tree)
        assert list(found.changes()) == []
        assert [each.path for each in found.merged()][:3] == [b"", b"a", b"a/one"]


def test_deep_trees_need_no_stack(upper: Path) -> None:
    """A tree as deep as a path can be is told, with few files open."""
    path = upper
    for _ in range(900):
        path /= "d"
    path.mkdir(parents=True)
    assert len(told(upper)) == 901
