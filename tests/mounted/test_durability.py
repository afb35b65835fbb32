"""What reaches the disk, and when: shown by what a crash of the machine would leave.

The upperdir lies on a file system in a file; a copy of that file, taken while everything is still
mounted, has just what was written to the disk so far.
"""

import ctypes
import mmap
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import disks
import images
import pytest
from mounting import Mount
from ordinary_user import as_ordinary_user
from suites.subjects import Subject, run_on

pytestmark = [pytest.mark.needs_fuse, pytest.mark.needs_root]

CONTENT = b"durable" * 1000


@pytest.fixture(params=["ext4", "xfs"])
def disk(request: pytest.FixtureRequest) -> Iterator[disks.Disk]:
    """A disk with a journal."""
    with disks.disk(request.param) as made:
        yield made


def layer() -> images.LayerBuilder:
    """A file to change, in a directory."""
    return images.LayerBuilder().directory("dir").file("dir/lower", b"lower" * 1000)


def overlay(disk: disks.Disk, scenario: object, **options: bool) -> None:
    """Run a scenario over a mount."""

    def body() -> None:
        with tempfile.TemporaryDirectory(prefix="rootless-mount-") as name:
            mounting = disk.mounting(Path(name))
            mounting.options = options
            mounting.run([layer()], scenario)  # type: ignore[arg-type]

    as_ordinary_user(body)


def write_and_sync(path: Path, how: str) -> None:
    """Write a file in one of the ways that bring it to the disk."""
    flags = os.O_CREAT | os.O_RDWR | {"O_SYNC": os.O_SYNC, "O_DSYNC": os.O_DSYNC}.get(how, 0)
    fd = os.open(path, flags, 0o644)
    if how == "msync":
        os.ftruncate(fd, len(CONTENT))
        with mmap.mmap(fd, len(CONTENT)) as mapped:
            mapped[:] = CONTENT
            mapped.flush()
    else:
        os.write(fd, CONTENT)
    if how in ("fsync", "fdatasync"):
        getattr(os, how)(fd)
    os.close(fd)


WAYS = ("fsync", "fdatasync", "O_SYNC", "O_DSYNC", "msync")


def test_contents(disk: disks.Disk) -> None:
    """What was synced is there after a crash, new files and copies; what was not need not be."""

    def scenario(mount: Mount) -> None:
        os.sync()  # the directories
        (mount.root / "unsynced").write_bytes(CONTENT)
        for how in WAYS:
            write_and_sync(mount.root / how, how)
        write_and_sync(mount.root / "dir/lower", "fsync")
        disk.crash("all")

    overlay(disk, scenario)
    with disk.after_crash("all") as upper:
        for how in WAYS:
            assert (upper / how).read_bytes() == CONTENT, how
        assert (upper / "dir/lower").read_bytes()[: len(CONTENT)] == CONTENT
        if (upper / "unsynced").exists():  # its name may come with another's journal entry
            assert (upper / "unsynced").read_bytes() == b""


def test_volatile(disk: disks.Disk) -> None:
    """Of a mount that need not survive, fsync(2) writes nothing."""

    def scenario(mount: Mount) -> None:
        os.sync()
        write_and_sync(mount.root / "fsync", "fsync")
        disk.crash("volatile")

    overlay(disk, scenario, is_volatile=True)
    with disk.after_crash("volatile") as upper:
        assert not (upper / "fsync").exists()


def sync_directory(path: Path) -> None:
    """Bring a directory to the disk."""
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    os.fsync(fd)
    os.close(fd)


def test_directories(disk: disks.Disk) -> None:
    """A rename and a removal are on the disk once their directory is synced."""

    def scenario(mount: Mount) -> None:
        write_and_sync(mount.root / "dir/new", "fsync")
        write_and_sync(mount.root / "dir/removed", "fsync")
        os.sync()
        (mount.root / "dir/new").rename(mount.root / "dir/renamed")
        (mount.root / "dir/lower").unlink()
        (mount.root / "dir/removed").unlink()
        sync_directory(mount.root / "dir")
        disk.crash("directory")

    overlay(disk, scenario)
    with disk.after_crash("directory") as upper:
        assert sorted(os.listdir(upper / "dir")) == ["lower", "renamed"]
        assert (upper / "dir/lower").is_char_device()
        assert (upper / "dir/renamed").read_bytes() == CONTENT


def test_sync_of_everything(disk: disks.Disk) -> None:
    """sync(2) reaches the upperdir's file system; syncfs(2) of the mount the server only."""
    libc = ctypes.CDLL(None, use_errno=True)

    def scenario(mount: Mount) -> None:
        with (mount.root / "file").open("wb") as file:
            file.write(CONTENT)
            file.flush()
            assert libc.syncfs(file.fileno()) == 0
            os.sync()
            disk.crash("sync")

    overlay(disk, scenario)
    with disk.after_crash("sync") as upper:
        assert (upper / "file").read_bytes() == CONTENT


def test_syncfs_under_hybrid(disk: disks.Disk) -> None:
    """Under the kernel's overlayfs, syncfs(2) brings all to the disk."""
    libc = ctypes.CDLL(None, use_errno=True)

    def write(subject: Subject) -> None:
        path = subject.root / "dir/lower"
        path.write_bytes(CONTENT)
        with path.open("rb") as file:
            assert libc.syncfs(file.fileno()) == 0
        disk.crash("syncfs")

    as_ordinary_user(lambda: run_on("hybrid", disk.folder, layer(), write))
    with disk.after_crash("syncfs") as upper:
        assert (upper.parent / "overlay/upper/dir/lower").read_bytes() == CONTENT


def test_copies(disk: disks.Disk) -> None:
    """A file of a layer that was changed is whole after a crash, changed or not, never empty."""
    lower = b"lower" * 1000

    def scenario(mount: Mount) -> None:
        (mount.root / "dir").chmod(0o700)
        os.sync()
        (mount.root / "dir/lower").chmod(0o600)
        write_and_sync(mount.root / "another", "fsync")  # takes the names of all to the disk
        disk.crash("copied")

    overlay(disk, scenario)
    with disk.after_crash("copied") as upper:
        assert (upper / "another").read_bytes() == CONTENT
        copied = upper / "dir/lower"
        assert not copied.exists() or copied.read_bytes() == lower
