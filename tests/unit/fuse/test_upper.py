"""The upperdir by descriptor."""

import errno
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import images
import pytest
from overlays import Core

from fuse import upper
from fuse.copy_up import copy_up
from fuse.create import NewObject, make_directory, make_special
from fuse.node import Link
from fuse.place import Place

NEW = NewObject(0o700, os.getuid(), os.getgid())


@pytest.fixture
def core(tmp_path: Path) -> Iterator[Core]:
    """Two files in a folder."""
    layer = images.LayerBuilder().directory("dir").file("dir/a", b"1").file("dir/b", b"2")
    with Core(tmp_path, [layer]) as made:
        yield made


def refuse(*_: Any, **__: Any) -> None:
    """Fail as a file system without the feature does."""
    raise OSError(errno.EPERM, os.strerror(errno.EPERM))


def test_an_owner_that_is_refused_is_kept_in_an_attribute(
    core: Core, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where chown fails the owner is shown all the same, and a later chmod changes it there."""
    make_special(core.overlay, Link(core.root, b"f"), NEW)
    place = core.overlay.place(core.link("f"))
    monkeypatch.setattr(os, "chown", refuse)
    core.upper.set_owner_and_mode(place, 0o100640, 12345, 54321, 0)
    value = os.getxattr(core.upperdir / "f", "user.containers.override_stat")
    assert value == b"12345:54321:0640:file"


def test_directories_are_kept_within_bounds(core: Core, monkeypatch: pytest.MonkeyPatch) -> None:
    """Trim closes what was not used lately; a closed directory is found again."""
    monkeypatch.setattr(upper, "_DIRECTORIES_KEPT", 2)
    path = "d0"
    for depth in range(1, 8):
        make_directory(core.overlay, core.link(path), NEW)
        path += f"/d{depth}"
    before = len(os.listdir("/proc/self/fd"))
    core.upper.trim()
    assert len(os.listdir("/proc/self/fd")) < before
    make_special(core.overlay, core.link(path), NEW)
    assert (core.upperdir / path).exists()


def test_names_are_never_followed(core: Core, tmp_path: Path) -> None:
    """A symbolic link in the place of a directory leads nowhere."""
    node = core.node("dir")
    copy_up(core.overlay, node)
    core.upper.leave(node)
    (core.upperdir / "dir").rename(core.upperdir / "moved")
    (core.upperdir / "dir").symlink_to(tmp_path)
    with pytest.raises(OSError, match="Not a directory"):
        core.upper.directory(node)


def test_leftovers_of_a_killed_server_are_removed(core: Core) -> None:
    """What lies in the workdir at the start goes, folders too; what is not ours stays."""
    (core.workdir / "#1").write_bytes(b"half a copy")
    (core.workdir / "#2/deep").mkdir(parents=True)
    (core.workdir / "work").mkdir()
    core.remounted()
    assert core.in_workdir() == [b"work"]


def test_discard_of_nothing(core: Core) -> None:
    """A place where nothing is can be discarded."""
    core.upper.discard(core.upper.work_place())


def test_an_attribute_error_that_is_no_absence(core: Core) -> None:
    """An attribute of a file that is not there is an error, not an absence."""
    with pytest.raises(FileNotFoundError):
        core.upper.xattr(Place(core.overlay.place(core.link("x")).fd, b"none"), b"user.x")
