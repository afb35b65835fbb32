"""What stat(2) and statfs(2) say: link counts, sizes, room, times."""

import os
import time

import images
import pytest
from mounting import Mount, Mounting

pytestmark = [pytest.mark.needs_fuse, pytest.mark.needs_user]


def layers() -> list[images.LayerBuilder]:
    """Directories in a directory, linked files."""
    return [
        images.LayerBuilder()
        .directory("dir")
        .directory("dir/a")
        .directory("dir/b")
        .file("dir/file", b"12345")
        .file("one", b"x")
        .hard_link("two", "one")
    ]


def test_links_of_files(mounting: Mounting) -> None:
    """A file has as many links as names, while names come and go, before and after copy-up."""

    def scenario(mount: Mount) -> None:
        root = mount.root
        assert (root / "one").stat().st_nlink == 2
        os.link(root / "one", root / "three")
        assert (root / "two").stat().st_nlink == 3
        (root / "two").unlink()
        assert (root / "one").stat().st_nlink == 2
        (root / "three").rename(root / "dir/file")
        assert (root / "one").stat().st_nlink == 2
        held = os.open(root / "one", os.O_RDONLY)
        (root / "one").unlink()
        assert os.fstat(held).st_nlink == 1
        (root / "dir/file").unlink()
        assert os.fstat(held).st_nlink == 0
        os.close(held)

    mounting.run(layers(), scenario)


def test_links_of_directories(mounting: Mounting) -> None:
    """A new directory has two and one more for each in it; a merged one says 1: not counted."""

    def scenario(mount: Mount) -> None:
        root = mount.root
        (root / "new").mkdir()
        assert (root / "new").stat().st_nlink == 2
        (root / "new/sub").mkdir()
        (root / "new/file").touch()
        assert (root / "new").stat().st_nlink == 3
        (root / "new/sub").rmdir()
        assert (root / "new").stat().st_nlink == 2
        (root / "dir/made").mkdir()
        assert (root / "dir").stat().st_nlink == 1
        held = os.open(root / "new", os.O_RDONLY)
        (root / "new/file").unlink()
        (root / "new").rmdir()
        assert os.fstat(held).st_nlink == 0
        os.close(held)

    mounting.run(layers(), scenario)


def test_room_is_the_upperdirs(mounting: Mounting) -> None:
    """statvfs(3) has the numbers of the upperdir's file system, and what is written shows."""
    mounting.file_system = ("tmpfs", "mode=0755,size=8m,nr_inodes=500")

    def scenario(mount: Mount) -> None:
        def check() -> os.statvfs_result:
            seen, stored = os.statvfs(mount.root), os.statvfs(mount.upper)
            for field in ("f_bsize", "f_frsize", "f_blocks", "f_bfree", "f_bavail", "f_files"):
                assert getattr(seen, field) == getattr(stored, field), field
            assert (seen.f_ffree, seen.f_namemax) == (stored.f_ffree, 255)
            return seen

        before = check()
        (mount.root / "new").write_bytes(bytes(1 << 20))
        after = check()
        assert before.f_bavail - after.f_bavail >= (1 << 20) // before.f_frsize
        assert after.f_ffree < before.f_ffree

    mounting.run(layers(), scenario)


def test_times_of_changes(mounting: Mounting) -> None:
    """A write, a new name and a chmod set the times that POSIX says, and no others."""

    def scenario(mount: Mount) -> None:
        root, begin = mount.root, time.time() - 1
        directory = root / "dir"
        old = directory.stat().st_mtime
        (directory / "file").chmod(0o600)
        status = (directory / "file").stat()
        assert (status.st_mtime, directory.stat().st_mtime) == (images.MTIME, old)
        assert status.st_ctime >= begin
        with (directory / "file").open("ab") as file:
            file.write(b"6")
        assert (directory / "file").stat().st_mtime >= begin
        assert directory.stat().st_mtime == old
        for change in (
            (directory / "new").touch,
            lambda: (directory / "new").rename(directory / "newer"),
            (directory / "newer").unlink,
            (directory / "file").unlink,
        ):
            os.utime(directory, (1, 1))
            change()
            assert directory.stat().st_mtime >= begin

    mounting.run(layers(), scenario)


def test_sizes(mounting: Mounting) -> None:
    """Size and blocks follow what is written; a hole takes no blocks."""

    def scenario(mount: Mount) -> None:
        path = mount.root / "dir/file"
        assert path.stat().st_size == 5
        with path.open("r+b") as file:
            file.seek(10_000_000)
            file.write(b"end")
        status = path.stat()
        assert status.st_size == 10_000_003
        assert status.st_blocks * 512 < 1_000_000
        os.truncate(path, 3)
        assert (path.stat().st_size, path.read_bytes()) == (3, b"123")

    mounting.run(layers(), scenario)
