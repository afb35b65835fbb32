"""Mount calls: the errors that an ordinary process gets, and the kernel's numbers."""

import errno
import os
from pathlib import Path

import pytest

from rootless.linux import mount_api


@pytest.mark.needs_user
def test_refused_without_privilege(tmp_path: Path) -> None:
    """Each call reaches the kernel, which names the missing right and the path."""
    with pytest.raises(PermissionError) as caught:
        mount_api.mount("tmpfs", str(tmp_path), "tmpfs", 0, "size=1m")
    assert caught.value.filename == str(tmp_path)
    with pytest.raises(PermissionError):
        mount_api.umount("/proc", mount_api.MNT_DETACH)
    with pytest.raises(PermissionError):
        mount_api.open_tree(str(tmp_path), recursive=True)
    fd = os.open(tmp_path, os.O_PATH)
    try:
        with pytest.raises(PermissionError):
            mount_api.move_mount(fd, fd)
        with pytest.raises(PermissionError):
            mount_api.mount_setattr(fd, mount_api.MOUNT_ATTR_RDONLY, recursive=True)
    finally:
        os.close(fd)


@pytest.mark.needs_root
def test_what_is_not_there(tmp_path: Path) -> None:
    """A missing target, a folder that is no mount, and attributes that are none are told apart."""
    missing = str(tmp_path / "none")
    with pytest.raises(FileNotFoundError) as caught:
        mount_api.open_tree(missing, recursive=False)
    assert caught.value.filename == missing
    with pytest.raises(OSError, match="Invalid argument"):
        mount_api.umount(str(tmp_path))
    fd = os.open(tmp_path, os.O_PATH)
    try:
        with pytest.raises(OSError, match="Invalid argument") as refused:
            mount_api.mount_setattr(fd, 0x8000_0000, recursive=False)
    finally:
        os.close(fd)
    assert refused.value.errno == errno.EINVAL


def test_flags_are_those_that_python_knows() -> None:
    """The numbers of statvfs(3), which Python has, are the same where the two agree."""
    pairs = {
        "ST_RDONLY": mount_api.MS_RDONLY,
        "ST_NOSUID": mount_api.MS_NOSUID,
        "ST_NODEV": mount_api.MS_NODEV,
        "ST_NOEXEC": mount_api.MS_NOEXEC,
        "ST_SYNCHRONOUS": mount_api.MS_SYNCHRONOUS,
        "ST_MANDLOCK": mount_api.MS_MANDLOCK,
        "ST_NOATIME": mount_api.MS_NOATIME,
        "ST_NODIRATIME": mount_api.MS_NODIRATIME,
    }
    assert {name: getattr(os, name) for name in pairs} == pairs
