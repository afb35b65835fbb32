"""POSIX ACLs (acl(5)): kept in the upperdir, checked by the kernel."""

import errno
import os
import stat
import struct
from pathlib import Path

import images
import pytest
from mounting import Mount, Mounting

pytestmark = [pytest.mark.needs_fuse, pytest.mark.needs_user]

ACCESS, DEFAULT = "system.posix_acl_access", "system.posix_acl_default"
USER_OBJ, USER, GROUP_OBJ, MASK, OTHER = 1, 2, 4, 16, 32
NOBODY = 0xFFFFFFFF


def acl(user: int, permissions: int) -> bytes:
    """Return an ACL that gives one user more than the others have."""
    entries = (
        *((USER_OBJ, 6, NOBODY), (USER, permissions, user), (GROUP_OBJ, 0, NOBODY)),
        *((MASK, permissions, NOBODY), (OTHER, 0, NOBODY)),
    )
    return struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *each) for each in entries)


def layers() -> list[images.LayerBuilder]:
    """Return a directory and a file that is its owner's alone."""
    return [
        images.LayerBuilder()
        .directory("dir", mode=0o755)
        .file("dir/lower", b"lower", mode=0o600)
        .file("dir/gone", b"gone")
    ]


def read_as(user: int, folder: Path, name: str) -> bytes | int:
    """Read a file as another user, who need not reach the mount; return contents or errno."""
    os.chdir(folder)
    os.seteuid(user)
    try:
        return Path(name).read_bytes()
    except OSError as error:
        return error.errno or 0
    finally:
        os.seteuid(0)
        os.chdir("/")


def test_are_kept_and_checked(mounting: Mounting) -> None:
    """A user whom an ACL names may read, others may not; a chmod of the group is its mask."""

    def scenario(mount: Mount) -> None:
        path = mount.root / "dir/lower"
        other = 0 if mount.single_id else 1000
        os.setxattr(path, ACCESS, acl(other, 4))
        assert os.getxattr(path, ACCESS) == acl(other, 4)
        assert stat.S_IMODE(path.stat().st_mode) == 0o640
        if not mount.single_id:
            assert read_as(1000, path.parent, "lower") == b"lower"
            assert read_as(1001, path.parent, "lower") == errno.EACCES
            path.chmod(0o600)
            assert read_as(1000, path.parent, "lower") == errno.EACCES
        assert mount.upper.joinpath("dir/lower").read_bytes() == b"lower"

    mounting.run(layers(), scenario)


def test_survive_a_remount(mounting: Mounting) -> None:
    """What was set is there in the next mount, and inherited there."""

    def scenario(mount: Mount) -> None:
        os.setxattr(mount.root / "dir", DEFAULT, acl(0, 5))
        mount.remount()
        assert os.getxattr(mount.root / "dir", DEFAULT) == acl(0, 5)
        (mount.root / "dir/new").touch()
        assert ACCESS in os.listxattr(mount.root / "dir/new")

    mounting.run(layers(), scenario)


def test_a_default_acl_is_inherited(mounting: Mounting) -> None:
    """In place of the umask, by files, directories and over the whiteout of a removed name."""

    def scenario(mount: Mount) -> None:
        directory = mount.root / "dir"
        os.umask(0o077)
        (directory / "before").touch(0o666)
        assert stat.S_IMODE((directory / "before").stat().st_mode) == 0o600
        os.setxattr(directory, DEFAULT, acl(0, 6))
        (directory / "gone").unlink()
        for name in ("file", "gone"):
            (directory / name).touch(0o666)
            assert stat.S_IMODE((directory / name).stat().st_mode) == 0o660
            assert ACCESS in os.listxattr(directory / name)
        (directory / "sub").mkdir()
        assert os.getxattr(directory / "sub", DEFAULT) == acl(0, 6)

    mounting.run(layers(), scenario)


def test_noacl(mounting: Mounting) -> None:
    """Where ACLs are not offered, setting one is EOPNOTSUPP: nothing takes it for kept."""
    mounting.options["has_acls"] = False

    def scenario(mount: Mount) -> None:
        with pytest.raises(OSError, match=os.strerror(errno.EOPNOTSUPP)):
            os.setxattr(mount.root / "dir", ACCESS, acl(0, 4))
        assert os.listdir(mount.upper) == []

    mounting.run(layers(), scenario)
