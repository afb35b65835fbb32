"""Upperdirs on ext4, xfs and btrfs, which root has mounted for an ordinary user's overlay."""

import errno
import os
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import disks
import full_disk
import images
import pytest
from mounting import Mount
from ordinary_user import as_ordinary_user
from overlay_command import Somebody, mounted

pytestmark = [pytest.mark.needs_fuse, pytest.mark.needs_root]

Scenario = Callable[[Mount], None]


@pytest.fixture
def disk(request: pytest.FixtureRequest) -> Iterator[disks.Disk]:
    """A disk of the kind that the test asks for."""
    with disks.disk(request.param) as made:
        yield made


def on(*kinds: str) -> pytest.MarkDecorator:
    """Run a test on disks of these kinds."""
    return pytest.mark.parametrize("disk", kinds, indirect=True)


def overlay(disk: disks.Disk, scenario: Scenario, layers: list[images.LayerBuilder]) -> None:
    """Run a scenario over an ordinary user's mount whose upperdir is on the disk."""

    def body() -> None:
        with tempfile.TemporaryDirectory(prefix="rootless-mount-") as name:
            disk.mounting(Path(name)).run(layers, scenario)

    as_ordinary_user(body)


@on("ext4", "xfs", "btrfs")
def test_no_blocks(disk: disks.Disk) -> None:
    """Without blocks nothing is half-made, whatever the file system can still do then."""

    def scenario(mount: Mount) -> None:
        full = partial(full_disk.blocks_used, disk.folder)
        failed = full_disk.check_changes(mount, full, {errno.ENOSPC})
        assert {"copy-up", "copy-up of hard links", "rename", "exchange", "link"} <= failed

    overlay(disk, scenario, full_disk.layers())


@on("ext4")
def test_no_inodes(disk: disks.Disk) -> None:
    """The same without inodes, whose number is fixed on ext4."""

    def scenario(mount: Mount) -> None:
        full = partial(full_disk.inodes_used, disk.folder)
        failed = full_disk.check_changes(mount, full, {errno.ENOSPC})
        assert {"create", "mkdir", "symlink", "mkfifo", "copy-up"} <= failed

    overlay(disk, scenario, full_disk.layers())


@on("ext4", "xfs", "btrfs")
def test_no_room_for_contents(disk: disks.Disk) -> None:
    """write(2), msync(2) and fsync(2) say so, and what was taken before stays."""

    def scenario(mount: Mount) -> None:
        full = partial(full_disk.blocks_used, disk.folder)
        full_disk.check_writes(mount, full, {errno.ENOSPC})

    overlay(disk, scenario, full_disk.layers())


@on("btrfs")
def test_quota(disk: disks.Disk) -> None:
    """Over quota every change works or fails with EDQUOT, and nothing is half-made."""
    top = disk.folder.parent
    for words in (["quota", "enable"], ["qgroup", "limit", "24M", "0/5"]):
        disks.run("btrfs", *words, top)

    def scenario(mount: Mount) -> None:
        full = partial(full_disk.blocks_used, disk.folder)
        failed = full_disk.check_changes(mount, full, {errno.EDQUOT})
        assert {"copy-up", "copy-up of hard links", "rename", "exchange", "link"} <= failed

    overlay(disk, scenario, full_disk.layers())


@on("xfs", "btrfs")
def test_copies_within_share_their_blocks(disk: disks.Disk) -> None:
    """A folder of the upperdir's own file system is copied up by FICLONE: it takes no room."""
    source = os.urandom(8 * disks.MIB)

    def scenario(folder: Path) -> None:
        (folder / "l/big").write_bytes(source)
        os.sync()
        before = os.statvfs(folder)
        with mounted(folder, "lowerdir=l,upperdir=u,workdir=w") as root:
            with (root / "big").open("r+b") as file:
                file.write(b"new")
            assert (root / "big").read_bytes() == b"new" + source[3:]
        os.sync()
        used = (before.f_bavail - os.statvfs(folder).f_bavail) * before.f_frsize
        assert used < 4 * disks.MIB
        assert (folder / "u/big").stat().st_blocks * 512 >= len(source)
        assert (folder / "l/big").read_bytes() == source

    as_ordinary_user(lambda: Somebody(disk.folder, in_namespace=False).run(scenario))
