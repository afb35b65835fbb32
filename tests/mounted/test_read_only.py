"""The merged tree through a read-only mount."""

import errno
import os
import stat
from pathlib import Path

import images
import pytest
from mounting import Mount, Mounting

pytestmark = [pytest.mark.needs_fuse, pytest.mark.needs_user]

BIG = bytes(range(256)) * 4096


def layers() -> list[images.LayerBuilder]:
    """One of each kind, in two layers."""
    lower = (
        images.LayerBuilder()
        .directory("etc", mode=0o750)
        .file("etc/passwd", b"root:x:0:0\n", mode=0o640)
        .hard_link("etc/passwd-", "etc/passwd")
        .file("gone", b"hidden by the upper layer")
        .symlink("link", "etc/passwd")
        .fifo("pipe")
        .file("big", BIG, mtime=1234567890.5)
        .file(b"latin-\xe9", b"not UTF-8")
        .directory("many")
    )
    for number in range(2000):
        lower.file(f"many/file{number:04}", b"%d" % number)
    return [lower, images.LayerBuilder().whiteout("gone").file("etc/motd", b"hello")]


def test_shows_what_the_layers_hold(mounting: Mounting) -> None:
    """Names, kinds, modes, sizes, times, link targets and contents are those of the layers."""

    def scenario(mount: Mount) -> None:
        assert sorted(os.listdir(os.fsencode(mount.root))) == [
            b"big",
            b"etc",
            b"latin-\xe9",
            b"link",
            b"many",
            b"pipe",
        ]
        assert (mount.root / "etc/motd").read_bytes() == b"hello"
        assert os.readlink(mount.root / "link") == "etc/passwd"
        assert (mount.root / "link").read_bytes() == b"root:x:0:0\n"
        big = (mount.root / "big").stat()
        assert (big.st_size, big.st_mtime_ns) == (len(BIG), 1234567890_500000000)
        assert (mount.root / "big").read_bytes() == BIG
        one, other = ((mount.root / name).stat() for name in ("etc/passwd", "etc/passwd-"))
        assert (one.st_ino, one.st_nlink) == (other.st_ino, 2)
        assert stat.S_ISFIFO((mount.root / "pipe").stat().st_mode)
        assert stat.S_IMODE((mount.root / "etc").stat().st_mode) == 0o750

    mounting.run(layers(), scenario, writable=False)


def test_reads_at_any_offset(mounting: Mounting) -> None:
    """A read in the middle of a file gives the middle, one behind its end nothing."""

    def scenario(mount: Mount) -> None:
        fd = os.open(mount.root / "big", os.O_RDONLY)
        assert os.pread(fd, 100, 300_001) == BIG[300_001:300_101]
        assert os.pread(fd, 100, len(BIG) - 5) == BIG[-5:]
        assert os.pread(fd, 100, len(BIG) + 5) == b""
        os.close(fd)

    mounting.run(layers(), scenario, writable=False)


def test_lists_a_big_directory_in_pieces(mounting: Mounting) -> None:
    """Every name of a directory that needs many requests comes once, again and again."""

    def scenario(mount: Mount) -> None:
        expected = [f"file{number:04}" for number in range(2000)]
        for _ in range(3):
            assert sorted(os.listdir(mount.root / "many")) == expected

    mounting.run(layers(), scenario, writable=False)


def test_reading_through_a_directory_gives_the_right_contents(mounting: Mounting) -> None:
    """Prefetched contents are those of the files that they were pushed for."""

    def scenario(mount: Mount) -> None:
        for _ in range(2):
            for number, name in enumerate(sorted(os.listdir(mount.root / "many"))):
                assert (mount.root / "many" / name).read_bytes() == b"%d" % number

    mounting.run(layers(), scenario, writable=False)


@pytest.mark.parametrize(
    "change",
    [
        lambda root: (root / "new").write_bytes(b""),
        lambda root: (root / "big").write_bytes(b"x"),
        lambda root: (root / "new").mkdir(),
        lambda root: (root / "big").unlink(),
        lambda root: (root / "many").rename(root / "few"),
        lambda root: (root / "big").chmod(0o600),
        lambda root: os.utime(root / "big"),
        lambda root: os.setxattr(root / "big", "user.x", b"y"),
    ],
)
def test_refuses_every_change(mounting: Mounting, change: object) -> None:
    """Whatever would change something fails with EROFS."""

    def scenario(mount: Mount) -> None:
        with pytest.raises(OSError, match="Read-only") as caught:
            change(mount.root)  # type: ignore[operator]
        assert caught.value.errno == errno.EROFS

    mounting.run(layers(), scenario, writable=False)


def test_has_no_xattrs_where_the_image_has_none(mounting: Mounting) -> None:
    """Listing attributes gives none, and asking for one says that they are not supported."""

    def scenario(mount: Mount) -> None:
        with pytest.raises(OSError, match="not supported") as caught:
            os.getxattr(mount.root / "big", "user.x")
        assert caught.value.errno == errno.EOPNOTSUPP

    mounting.run(layers(), scenario, writable=False)


def test_shows_the_images_xattrs(mounting: Mounting) -> None:
    """An attribute of the image is listed and read."""
    layer = images.LayerBuilder().file("f", b"", xattrs={"user.colour": b"blue"}).file("plain")

    def scenario(mount: Mount) -> None:
        assert os.listxattr(mount.root / "f") == ["user.colour"]
        assert os.getxattr(mount.root / "f", "user.colour") == b"blue"
        assert os.listxattr(mount.root / "plain") == []
        with pytest.raises(OSError, match="No data") as caught:
            os.getxattr(mount.root / "plain", "user.colour")
        assert caught.value.errno == errno.ENODATA

    mounting.run([layer], scenario, writable=False)


def test_tells_its_size(mounting: Mounting) -> None:
    """Statfs, without which kernel overlayfs takes no lower, gives the image's size."""

    def scenario(mount: Mount) -> None:
        answer = os.statvfs(mount.root)
        assert answer.f_files == 2000 + 9  # hard links are one
        assert answer.f_blocks * answer.f_frsize >= len(BIG)

    mounting.run(layers(), scenario, writable=False)


def test_squashes_owners_that_are_not_mapped(mounting: Mounting) -> None:
    """A file's owner shows as itself where the namespace has the ID, else as the overflow ID."""
    layer = images.LayerBuilder().file("mail", uid=8, gid=12).file("high", uid=70000, gid=70000)

    def scenario(mount: Mount) -> None:
        mail, high = (mount.root / "mail").stat(), (mount.root / "high").stat()
        assert (mail.st_uid, mail.st_gid) == ((0, 0) if mount.single_id else (8, 12))
        assert (high.st_uid, high.st_gid) == (0, 0)

    mounting.run([layer], scenario, writable=False)


def test_absent_names_stay_absent(mounting: Mounting) -> None:
    """A name that is not there is not there, however often it is asked for."""

    def scenario(mount: Mount) -> None:
        for _ in range(3):
            assert not Path(mount.root, "gone").exists()
            assert not Path(mount.root, "many/nothing").exists()

    mounting.run(layers(), scenario, writable=False)
