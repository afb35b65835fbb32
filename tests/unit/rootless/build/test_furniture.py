"""Things of a RUN, as far as they need no mount."""

import os
import stat
from dataclasses import replace
from pathlib import Path

import pytest
from living_records import MAPS, a_record

from rootless.build.furniture import CacheFolder, InnerFile, Room, inner
from rootless.errors import InvalidInput, NotFound


@pytest.fixture
def room(tmp_path: Path) -> Room:
    """A place for things."""
    (tmp_path / "room").mkdir()
    return Room(tmp_path / "room", tmp_path, a_record().container)


def test_files(room: Room) -> None:
    """Each has its own place, its contents, its permissions; what is in it is in no repr."""
    files = [InnerFile("/a", b"1", 0o400), InnerFile("/b", b"s3cret", 0o755)]
    mounts = [each.put(room) for each in files]
    assert [each.destination for each in mounts] == ["/a", "/b"]
    assert Path(mounts[1].source).read_bytes() == b"s3cret"
    modes = [stat.S_IMODE(os.stat(each.source).st_mode) for each in mounts]
    assert modes == [0o400, 0o755]
    assert "s3cret" not in repr(files)
    room.close()


def test_owners(room: Room, tmp_path: Path) -> None:
    """Where one ID is mapped that is the owner; else one that cannot be given is an error."""
    InnerFile("/a", b"", 0o400, 5, 6).put(room)
    room.container = replace(room.container, maps=replace(MAPS, single=False))
    with pytest.raises(InvalidInput, match=r"owner: .*: 5:6"):
        room.dress(tmp_path / "room", 5, 6, 0o700)


def test_a_cache(room: Room, tmp_path: Path) -> None:
    """A new one is made with its permissions; one that is there stays as it is."""
    folder = tmp_path / "cache"
    folder.mkdir()
    cache = CacheFolder("/c", folder, is_writable=True, mode=0o750, uid=0, gid=0)
    mount = cache.put(room)
    assert mount.options == ("bind", "rprivate", "rw")
    assert stat.S_IMODE(os.stat(mount.source).st_mode) == 0o750
    (Path(mount.source) / "kept").touch()
    again = replace(cache, is_writable=False, mode=0o700).put(room)
    assert again.options == ("bind", "rprivate", "ro")
    assert os.listdir(again.source) == ["kept"]
    assert stat.S_IMODE(os.stat(again.source).st_mode) == 0o750
    assert os.listdir(folder) == ["data"]


def test_inside_a_folder(tmp_path: Path) -> None:
    """Links are followed as if the folder were the root: they lead nowhere else."""
    (tmp_path / "in" / "deep").mkdir(parents=True)
    (tmp_path / "out").mkdir()
    for name, target in (("up", "../out"), ("root", "/"), ("deeper", "/deep"), ("bad", "/out")):
        (tmp_path / "in" / name).symlink_to(target)
    top = str(tmp_path / "in")
    assert inner(top, "") == top
    assert inner(top, "/deep") == f"{top}/deep"
    assert inner(top, "deeper") == f"{top}/deep"
    assert inner(top, "root/deep/../..") == top
    for path in ("up", "bad", "../out", "none"):
        with pytest.raises(NotFound, match=path):
            inner(top, path)
