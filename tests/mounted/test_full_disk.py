"""A full disk, and one that became read-only, under an upperdir: on tmpfs."""

import errno
import os
from functools import partial

import full_disk
import pytest
from mounting import Mount, Mounting

pytestmark = [pytest.mark.needs_fuse, pytest.mark.needs_user]


def test_no_blocks(mounting: Mounting) -> None:
    """Without blocks nothing is half-made: the lower file is still there, whole."""
    mounting.file_system = ("tmpfs", "mode=0755,size=48m")

    def scenario(mount: Mount) -> None:
        full = partial(full_disk.blocks_used, mount.upper.parent)
        failed = full_disk.check_changes(mount, full, {errno.ENOSPC})
        assert {"copy-up", "copy-up of hard links", "rename", "exchange", "link"} <= failed

    mounting.run(full_disk.layers(), scenario)


def test_no_inodes(mounting: Mounting) -> None:
    """The same without inodes, which new objects and whiteouts want."""
    mounting.file_system = ("tmpfs", "mode=0755,size=64m,nr_inodes=200")

    def scenario(mount: Mount) -> None:
        full = partial(full_disk.inodes_used, mount.upper.parent)
        failed = full_disk.check_changes(mount, full, {errno.ENOSPC})
        assert {"create", "mkdir", "symlink", "mkfifo", "unlink", "rename", "link"} <= failed
        assert {"mkdir over a whiteout", "create over a whiteout", "copy-up"} <= failed

    mounting.run(full_disk.layers(), scenario)


@pytest.mark.parametrize("left", range(6))
def test_hard_links_stay_together(mounting: Mounting, left: int) -> None:
    """Where there is room for the copy of a file and not for all its names, nothing is copied up.

    tmpfs counts names as inodes: two directories, the copy and two more names are wanted here.
    """
    mounting.file_system = ("tmpfs", "mode=0755,size=64m,nr_inodes=100")
    names = ("hard", "a/hard", "a/b/hard")

    def scenario(mount: Mount) -> None:
        with full_disk.inodes_used(mount.upper.parent):
            for number in range(left):
                (mount.upper.parent / "many" / str(number)).unlink()
            (mount.root / "hard").stat()
            failed = full_disk.error_number(lambda: (mount.root / "a/hard").chmod(0o600))
            assert failed == (0 if left == 5 else errno.ENOSPC)
            mode = 0o644 if failed else 0o600
            for _ in range(2):
                for name in names:
                    status = (mount.root / name).stat()
                    assert (status.st_nlink, status.st_mode & 0o777) == (3, mode)
                mount.remount()
        (mount.root / "hard").write_bytes(b"written")
        mount.remount()
        assert {(mount.root / name).read_bytes() for name in names} == {b"written"}

    mounting.run(full_disk.layers(), scenario)


def test_no_room_for_contents(mounting: Mounting) -> None:
    """write(2), msync(2) and fsync(2) say so, and what was taken before stays."""
    mounting.file_system = ("tmpfs", "mode=0755,size=8m")

    def scenario(mount: Mount) -> None:
        full = partial(full_disk.blocks_used, mount.upper.parent)
        full_disk.check_writes(mount, full, {errno.ENOSPC})

    mounting.run(full_disk.layers(), scenario)


def test_read_only_under_the_mount(mounting: Mounting) -> None:
    """Every change is EROFS while the upperdir's file system is read-only, and works after."""
    mounting.file_system = ("tmpfs", "mode=0755,size=64m")

    def scenario(mount: Mount) -> None:
        root = mount.root
        full_disk.prepare(root)
        before = full_disk.seen(root)
        mount.read_only_upper(now=True)
        for name, change in full_disk.changes().items():
            with pytest.raises(OSError, match="Read-only") as caught:
                change(root)
            assert caught.value.errno == errno.EROFS, name
            assert full_disk.seen(root) == before, name
        with pytest.raises(OSError, match="Read-only"):
            os.open(root / "appended", os.O_WRONLY | os.O_APPEND)
        mount.remount()
        assert full_disk.seen(root) == before
        mount.read_only_upper(now=False)
        for change in full_disk.changes().values():
            change(root)
        full_disk.assert_all_changed(root)

    mounting.run(full_disk.layers(), scenario)
