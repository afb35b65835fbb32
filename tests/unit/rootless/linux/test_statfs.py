"""File-system types, free space and flags."""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from rootless.linux.statfs import statfs, type_name


@pytest.mark.parametrize(
    ("magic", "name"),
    [(0xEF53, "ext4"), (0x01021994, "tmpfs"), (-0xACBD2BE, "smb2"), (0x12345, "0x12345")],
)
def test_names(magic: int, name: str) -> None:
    """A known magic number has a name, sign-extended or not; another is shown as it is."""
    if name == "smb2":
        magic = 0xFE534D42 - (1 << 32)
    assert type_name(magic) == name


def test_proc_and_folder_agree_with_statvfs(tmp_path: Path) -> None:
    """Free space and inodes are those that os.statvfs reports."""
    ours, theirs = statfs(tmp_path), os.statvfs(tmp_path)
    assert abs(ours.free_bytes - theirs.f_bavail * theirs.f_frsize) < 1 << 28
    assert not ours.read_only
    assert statfs("/proc").type_name == "proc"


def test_missing_path_names_it(tmp_path: Path) -> None:
    """The OSError of a missing path carries the path."""
    with pytest.raises(FileNotFoundError) as caught:
        statfs(tmp_path / "none")
    assert os.fsdecode(caught.value.filename) == str(tmp_path / "none")


def test_network_file_systems() -> None:
    """File systems that machines share are told from local ones."""
    names = ("nfs", "lustre", "ext4", "tmpfs")
    found = [name for name in names if replace(statfs("/"), type_name=name).is_network]
    assert found == ["nfs", "lustre"]
