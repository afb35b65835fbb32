"""New objects."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import images
import pytest
from overlays import Core

from fuse.create import (
    NewObject,
    make_directory,
    make_link,
    make_special,
    make_symlink,
)
from fuse.remove import rmdir, unlink

NEW = NewObject(0o640, os.getuid(), os.getgid())


@pytest.fixture
def core(tmp_path: Path) -> Iterator[Core]:
    """A file and a folder."""
    layer = images.LayerBuilder().file("file", b"1").directory("dir", mode=0o2755)
    with Core(tmp_path, [layer]) as made:
        yield made


def test_every_kind(core: Core) -> None:
    """Kind and mode are what was asked for."""
    overlay = core.overlay
    made = {
        "f": make_special(overlay, core.link("f"), NEW),
        "d": make_directory(overlay, core.link("d"), NEW),
        "l": make_symlink(overlay, core.link("l"), b"f", NEW),
        "p": make_special(overlay, core.link("p"), NEW._replace(mode=stat.S_IFIFO | 0o600)),
        "r": make_special(overlay, core.link("r"), NEW._replace(mode=stat.S_IFREG | 0o604)),
    }
    modes = {name: overlay.status(node).mode for name, node in made.items()}
    assert modes == {"f": 0o100640, "d": 0o040640, "l": 0o120777, "p": 0o010600, "r": 0o100604}


def test_a_whiteout_cannot_be_made(core: Core) -> None:
    """A character device 0/0 is refused, as kernel overlayfs refuses it; nothing is left."""
    with pytest.raises(PermissionError):
        make_special(core.overlay, core.link("w"), NEW._replace(mode=stat.S_IFCHR | 0o600))
    assert not os.listdir(core.upperdir)


def test_a_name_that_is_taken(core: Core) -> None:
    """EEXIST, and what is there stays."""
    make_special(core.overlay, core.link("f"), NEW)
    (core.upperdir / "f").write_bytes(b"kept")
    with pytest.raises(FileExistsError):
        os.mkdir(core.upperdir / "f")
    assert (core.upperdir / "f").read_bytes() == b"kept"


def test_in_the_place_of_a_whiteout(core: Core) -> None:
    """File over file, directory over file, file over directory; nothing is left over."""
    overlay = core.overlay
    unlink(overlay, core.link("file"))
    make_special(overlay, core.link("file"), NEW)
    assert (core.upperdir / "file").read_bytes() == b""
    unlink(overlay, core.link("file"))
    make_directory(overlay, core.link("file"), NEW)
    assert os.getxattr(core.upperdir / "file", "user.overlay.opaque") == b"y"
    rmdir(overlay, core.link("dir"))
    make_special(overlay, core.link("dir"), NEW)
    assert core.names() == [b"dir", b"file"]
    assert core.in_workdir() == []


def test_set_group_id_is_inherited(core: Core) -> None:
    """A directory made in a set-GID directory has the bit, a file has not."""
    overlay = core.overlay
    sub = make_directory(overlay, core.link("dir/sub"), NEW)
    file = make_special(overlay, core.link("dir/file"), NEW)
    assert overlay.status(sub).mode & stat.S_ISGID
    assert not overlay.status(file).mode & stat.S_ISGID


def test_hard_links(core: Core) -> None:
    """A link to a lower file copies it up; both names are one node."""
    node = core.node("file")
    make_link(core.overlay, node, core.link("dir/again"))
    assert core.node("dir/again") is node
    assert core.overlay.status(node).nlink == 2


def test_nobody_makes_a_whiteout(core: Core) -> None:
    """The device number of a whiteout is refused, as overlayfs does, and nothing is made."""
    whiteout = NEW._replace(mode=stat.S_IFCHR | 0o600)
    with pytest.raises(PermissionError):
        make_special(core.overlay, core.link("new"), whiteout)
    assert os.listdir(core.upperdir) == []
