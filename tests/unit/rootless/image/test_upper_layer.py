"""`rootless.image.upper_layer`: members of a layer, and what none may have."""

import os
import socket
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

import images
import pytest
import trees

from fuse.tree import Tree
from fuse.upper_walk import UpperWalk
from rootless.errors import InvalidInput
from rootless.image.upper_layer import kept_xattrs, layer_chunks

LAYER = images.LayerBuilder().directory("./").directory("d").file("d/x", b"x").file("s", b"s")


@pytest.fixture
def upper(tmp_path: Path) -> Path:
    """An empty upperdir."""
    (tmp_path / "upper").mkdir()
    return tmp_path / "upper"


@contextmanager
def walk(upper: Path) -> Iterator[UpperWalk]:
    """Give a walk of an upperdir over LAYER."""
    fd = os.open(upper, os.O_RDONLY | os.O_DIRECTORY)
    try:
        with Tree.open(trees.build_tree(upper.parent / "layers", [LAYER])) as tree:
            yield UpperWalk(fd, tree)
    finally:
        os.close(fd)


def made(upper: Path, latest_ns: int | None = None) -> bytes:
    """Return the layer's tar."""
    with walk(upper) as found:
        return b"".join(layer_chunks(found, latest_ns=latest_ns))


def names(tar: bytes) -> list[str]:
    """Return the members' names, in order."""
    with tarfile.open(fileobj=BytesIO(tar)) as archive:
        return [member.name for member in archive]


def test_nothing_changed_is_nothing_but_the_end(tmp_path: Path) -> None:
    """Without an upperdir the layer has no member."""
    with Tree.open(trees.build_tree(tmp_path / "layers", [LAYER])) as tree:
        assert b"".join(layer_chunks(UpperWalk(-1, tree))) == bytes(1024)


def test_an_opaque_directory_has_its_mark(upper: Path) -> None:
    """The mark follows its directory."""
    (upper / "d").mkdir()
    (upper / "d" / "new").touch()
    os.setxattr(upper / "d", "user.overlay.opaque", b"y")
    assert names(made(upper)) == [".", "d", "d/.wh..wh..opq", "d/new"]


def test_a_socket_goes_and_what_it_hid_stays_hidden(upper: Path) -> None:
    """No tar holds a socket; over a lower file it leaves a whiteout."""
    for name in ("new", "s"):
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(os.path.relpath(upper / name))
    assert names(made(upper)) == [".", ".wh.s"]


def test_hard_links_in_the_order_of_names(upper: Path) -> None:
    """The first name is the file."""
    (upper / "z").write_text("text")
    os.link(upper / "z", upper / "b")
    with tarfile.open(fileobj=BytesIO(made(upper))) as archive:
        members = {member.name: member for member in archive}
    assert members["b"].isreg()
    assert (members["z"].islnk(), members["z"].linkname) == (True, "b")


def test_times_are_clamped(upper: Path) -> None:
    """No file is younger than asked for; an older one keeps its time."""
    for name, time_ns in (("old", 5 * 10**9), ("new", 50 * 10**9 + 1)):
        (upper / name).touch()
        os.utime(upper / name, ns=(time_ns, time_ns))
    with tarfile.open(fileobj=BytesIO(made(upper, 9 * 10**9))) as archive:
        times = {member.name: member.mtime for member in archive}
    assert times == {".": 9, "old": 5, "new": 9}


def test_a_name_that_is_a_mark_is_refused(upper: Path) -> None:
    """It would take another file away."""
    (upper / ".wh.x").touch()
    with pytest.raises(InvalidInput, match=r"/\.wh\.x .*rename"):
        made(upper)


def test_a_file_that_shrinks_is_refused(upper: Path) -> None:
    """Nothing is made up for what is gone."""
    (upper / "big").write_bytes(b"x" * (3 << 20))
    with walk(upper) as found:
        chunks = layer_chunks(found)
        while len(next(chunks)) < 1 << 20:
            pass
        os.truncate(upper / "big", 1 << 20)
        with pytest.raises(InvalidInput, match="changed while it was read"):
            list(chunks)


def test_what_another_overlay_would_obey_is_left_out() -> None:
    """Marks of overlays and labels of the host are not an image's; all else is."""
    given = {
        b"user.a": b"1",
        b"security.capability": b"2",
        b"system.posix_acl_access": b"3",
        b"user.overlay.opaque": b"y",
        b"user.containers.override_stat": b"0:0:0755",
        b"security.selinux": b"label",
        b"trusted.x": b"t",
    }
    assert sorted(kept_xattrs(b"p", given)) == [
        *(b"security.capability", b"system.posix_acl_access", b"user.a")
    ]


def test_a_directory_that_only_leads_somewhere(upper: Path) -> None:
    """It is a member where something below it is, else it would say nothing."""
    owner = {"uid": os.getuid(), "gid": os.getgid(), "mtime": 5}
    layer = images.LayerBuilder()
    for name in ("d", "d/e", "f"):
        layer.directory(name, **owner)
    layer.file("f/gone")
    tree_path = trees.build_tree(upper.parent / "owned", [layer])

    def names_now() -> list[str]:
        for path in (upper / "d/e", upper / "d", upper / "f"):
            os.utime(path, (5, 5))
        os.utime(upper, ns=(0, 0))
        fd = os.open(upper, os.O_RDONLY | os.O_DIRECTORY)
        try:
            with Tree.open(tree_path) as tree:
                return names(b"".join(layer_chunks(UpperWalk(fd, tree))))[1:]
        finally:
            os.close(fd)

    (upper / "d/e").mkdir(parents=True)
    (upper / "f").mkdir()
    assert names_now() == []
    (upper / "d/e/new").touch()
    assert names_now() == ["d", "d/e", "d/e/new"]
    (upper / "d/e/new").unlink()
    (upper / "d/e").chmod(0o700)
    assert names_now() == ["d", "d/e"]
