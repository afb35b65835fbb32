"""Checks `store`, `scratch` and `runtime-folder`."""

import errno
from dataclasses import replace
from pathlib import Path

import pytest

from rootless.doctor.check import State
from rootless.doctor.store_fs import (
    FolderFacts,
    check_runtime,
    check_scratch,
    check_store,
    gather,
    nearest_existing,
)
from rootless.linux.statfs import FileSystem

DISK = FileSystem("ext4", 50 << 30, 1 << 20, read_only=False, no_exec=False, no_dev=False)
GOOD = FolderFacts(Path("/home/ann/.local/share/rootless"), Path("/home/ann"), DISK)


def test_a_good_disk() -> None:
    """A local disk with room is fine for all three; where and how much is shown."""
    for check in (check_store(GOOD), check_scratch(GOOD), check_runtime(GOOD)):
        assert check.state is State.OK
        assert check.seen == "/home/ann/.local/share/rootless on ext4, 50.0 GiB free"


@pytest.mark.parametrize(
    ("facts", "cause"),
    [
        (replace(GOOD, write_errno=errno.EACCES), "Permission denied"),
        (replace(GOOD, write_errno=errno.EDQUOT), "your quota for /home/ann is used up"),
        (
            replace(GOOD, write_errno=errno.EROFS, file_system=replace(DISK, read_only=True)),
            "/home/ann is mounted read-only",
        ),
        (replace(GOOD, flock_errno=errno.ENOSYS), "file locks do not work there"),
    ],
)
def test_store_that_cannot_be_used(facts: FolderFacts, cause: str) -> None:
    """A folder that takes no files or no locks cannot hold the store; another can be named."""
    check = check_store(facts)
    assert check.state is State.FAILED
    assert cause in check.cause
    assert "$ROOTLESS_HOME" in check.fix


def test_little_room() -> None:
    """Little space, or an exhausted inode quota, is a warning."""
    small = replace(GOOD, file_system=replace(DISK, free_bytes=1 << 20))
    few = replace(GOOD, file_system=replace(DISK, free_inodes=3))
    assert "less than 1 GiB" in check_store(small).cause
    assert "only 3 files" in check_scratch(few).cause
    assert check_store(small).state is check_scratch(few).state is State.WARNING


def test_store_on_nfs_is_fine() -> None:
    """The store needs neither xattrs nor owners, so a network file system can hold it."""
    nfs = replace(GOOD, file_system=replace(DISK, type_name="nfs"), user_xattrs=False)
    assert check_store(nfs).state is State.OK


def test_scratch_without_xattrs() -> None:
    """An upperdir cannot lie where there are no user xattrs; the way out is a local disk."""
    nfs = replace(GOOD, file_system=replace(DISK, type_name="nfs"), user_xattrs=False)
    check = check_scratch(nfs)
    assert check.state is State.WARNING
    assert "nfs keeps no user xattrs" in check.cause
    assert "$ROOTLESS_SCRATCH" in check.fix


def test_runtime_folder_on_a_network() -> None:
    """What lives on one machine is not recorded where others see it."""
    lustre = replace(GOOD, file_system=replace(DISK, type_name="lustre"))
    assert check_runtime(lustre).state is State.WARNING


def test_gather_leaves_nothing(tmp_path: Path) -> None:
    """A folder that is not there is judged by the one above it, and stays not there."""
    facts = gather(tmp_path / "a" / "b")
    assert facts.existing == tmp_path
    assert (facts.write_errno, facts.flock_errno) == (0, 0)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.needs_user
def test_gather_reports_a_refused_write(tmp_path: Path) -> None:
    """The reason why nothing can be written is kept."""
    tmp_path.chmod(0o500)
    assert gather(tmp_path).write_errno == errno.EACCES


def test_nearest_existing_passes_over_files(tmp_path: Path) -> None:
    """A file in the way is not a folder to judge by."""
    (tmp_path / "file").touch()
    assert nearest_existing(tmp_path / "file" / "x") == tmp_path
