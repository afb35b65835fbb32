"""`rootless.containers.unpack`: what is made of a tar, and what no tar can do."""

import os
import stat
from io import BytesIO
from pathlib import Path

import images
import pytest

from rootless.containers.unpack import Locate, Rules, Unpacker
from rootless.errors import Conflict, IntegrityError
from rootless.linux.openat2 import RESOLVE_BENEATH, RESOLVE_NO_SYMLINKS, openat2

END = bytes(1024)


def beneath(folder: Path) -> Locate:
    """Return what opens paths below a folder."""

    def locate(path: str, flags: int) -> int:
        fd = os.open(folder, os.O_PATH | os.O_DIRECTORY)
        try:
            return openat2(fd, path, flags, RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS)
        finally:
            os.close(fd)

    return locate


def unpack(tar: images.Layer, folder: Path, top: str = ".", **rules: object) -> list[str]:
    """Unpack a tar into a folder; return what was left out."""
    unpacker = Unpacker(beneath(folder), top, Rules(**rules))  # type: ignore[arg-type]
    unpacker.unpack(BytesIO(images.layer_tar(tar)))
    return unpacker.left_out


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """An empty folder."""
    (tmp_path / "out").mkdir()
    return tmp_path / "out"


@pytest.mark.needs_user
def test_every_kind(out: Path) -> None:
    """Contents, modes, times and links are the tar's; a device that may not be made is told."""
    layer = images.small_layer().file("t", b"t", mtime=5.25).directory("ro", mode=0o555)
    left_out = unpack(layer.file("ro/x"), out)
    assert left_out == ["dev/null (a device)", "dev/loop0 (a device)"]
    assert (out / "bin/sh").stat().st_ino == (out / "bin/dash").stat().st_ino
    assert os.readlink(out / "etc/mtab") == "/proc/mounts"
    assert stat.S_ISFIFO((out / "run/pipe").stat().st_mode)
    assert (out / "t").stat().st_mtime == 5.25
    assert stat.S_IMODE((out / "ro").stat().st_mode) == 0o555
    assert stat.S_IMODE((out / "usr/bin/su").stat().st_mode) == 0o4755
    (out / "ro").chmod(0o755)


def test_set_id_bits_can_be_kept_away(out: Path) -> None:
    """The mask takes them."""
    unpack(images.LayerBuilder().file("su", b"", mode=0o6755), out, mode_mask=0o1777)
    assert stat.S_IMODE((out / "su").stat().st_mode) == 0o755


def test_under_another_name(out: Path) -> None:
    """What the tar calls the top has the name that was asked for; so do links to it."""
    layer = images.LayerBuilder().directory("./").file("a", b"a").hard_link("b", "a")
    unpack(layer, out, "new")
    assert (out / "new/b").read_bytes() == b"a"
    unpack(images.LayerBuilder().file("./", b"file"), out, "f")
    assert (out / "f").read_bytes() == b"file"


def test_holes_stay_holes(out: Path) -> None:
    """A sparse file takes the room of its data."""
    from lockstep.lowers import sparse_member  # noqa: PLC0415

    unpack(sparse_member(b"a", 40_000_000, [(81_920, b"one")]) + END, out)
    assert (out / "a").stat().st_size == 40_000_000
    assert (out / "a").stat().st_blocks * 512 < 1 << 20
    with (out / "a").open("rb") as file:
        file.seek(81_919)
        assert file.read(5) == b"\0one\0"


@pytest.mark.parametrize("name", ["../x", "a/../../x", "a/.."])
def test_names_that_lead_out(name: str, out: Path) -> None:
    """They end it."""
    with pytest.raises(IntegrityError, match="leads out"):
        unpack(images.LayerBuilder().file(name), out)
    assert os.listdir(out.parent) == ["out"]


def test_an_absolute_name_is_below(out: Path) -> None:
    """It begins at the folder."""
    unpack(images.LayerBuilder().file("/etc/x"), out)
    assert (out / "etc/x").exists()


@pytest.mark.parametrize("target", ["..", "/etc", "../out"])
def test_a_link_of_the_tar_is_not_followed(target: str, out: Path) -> None:
    """A member below a link that the tar made is refused, and nothing is written there."""
    layer = images.LayerBuilder().symlink("l", target).file("l/escaped")
    with pytest.raises(OSError, match=r"symbolic links|directory"):
        unpack(layer, out)
    assert os.listdir(out.parent) == ["out"]
    assert os.listdir(out) == ["l"]


def test_a_hard_link_to_outside(out: Path, tmp_path: Path) -> None:
    """Its target is a path below the folder as well."""
    (tmp_path / "secret").touch()
    with pytest.raises(IntegrityError, match="leads out"):
        unpack(images.LayerBuilder().hard_link("x", "../secret"), out)
    with pytest.raises(FileNotFoundError):
        unpack(images.LayerBuilder().hard_link("x", str(tmp_path / "secret")), out)


def test_what_is_there_already(out: Path) -> None:
    """Folders are merged and keep their mode; files and links take the place of each other."""
    (out / "d").mkdir(mode=0o700)
    (out / "d" / "kept").touch()
    (out / "f").symlink_to("/etc/passwd")
    unpack(images.LayerBuilder().directory("d", mode=0o755).file("d/new").file("f", b"f"), out)
    assert sorted(os.listdir(out / "d")) == ["kept", "new"]
    assert stat.S_IMODE((out / "d").stat().st_mode) == 0o700
    assert not (out / "f").is_symlink()


def test_folders_and_files_do_not_replace_each_other(out: Path) -> None:
    """But where that is asked for."""
    (out / "d").mkdir()
    (out / "d" / "x").touch()
    (out / "f").touch()
    layer = images.LayerBuilder().file("d", b"d").directory("f")
    with pytest.raises(Conflict, match="a folder is in the place of a file"):
        unpack(layer, out)
    with pytest.raises(Conflict, match="a file is in the place of a folder"):
        unpack(images.LayerBuilder().directory("f"), out)
    unpack(layer, out, overwrite=True)
    assert (out / "d").read_bytes() == b"d"
    assert (out / "f").is_dir()


def test_links_to_folders_can_be_followed(out: Path) -> None:
    """Only where that is asked for is a link to a folder as good as one."""
    (out / "usr").mkdir()
    (out / "lib").symlink_to("usr")

    def inside(path: str, flags: int) -> int:
        return os.open(out / path, flags)

    layer = images.LayerBuilder().directory("lib").file("lib/x")
    with pytest.raises(Conflict):
        unpack(layer, out)
    Unpacker(inside, ".", Rules(follows_folders=True)).unpack(BytesIO(layer.tar()))
    assert (out / "usr/x").exists()


def test_onto_a_file(out: Path) -> None:
    """It stays the file that it is, and gets contents, mode and time."""
    (out / "old").write_text("something longer")
    os.link(out / "old", out / "linked")
    fd = os.open(out / "old", os.O_PATH)
    try:
        unpacker = Unpacker(beneath(out), "old", Rules())
        unpacker.unpack_onto(
            BytesIO(images.LayerBuilder().file("./", b"new", mode=0o600).tar()), fd
        )
        with pytest.raises(Conflict, match="only a file"):
            unpacker.unpack_onto(BytesIO(images.LayerBuilder().fifo("x").tar()), fd)
    finally:
        os.close(fd)
    assert (out / "linked").read_text() == "new"
    assert stat.S_IMODE((out / "linked").stat().st_mode) == 0o600


@pytest.mark.parametrize(
    "tar", [b"x" * 1024, images.LayerBuilder().file("a", b"a" * 9000).tar()[:3000]]
)
def test_what_is_no_whole_tar(tar: bytes, out: Path) -> None:
    """It is one error."""
    with pytest.raises(IntegrityError):
        unpack(tar, out)


def test_owners(out: Path) -> None:
    """The rules say whose a member is; what the file system refuses is left."""
    asked: list[tuple[int, int]] = []

    def owner(uid: int, gid: int) -> tuple[int, int]:
        asked.append((uid, gid))
        return os.getuid(), os.getgid()

    unpack(images.LayerBuilder().file("a", uid=7, gid=8).symlink("l", "a", uid=9), out, owner=owner)
    assert asked == [(7, 8), (9, 0)]
