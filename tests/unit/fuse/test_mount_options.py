"""Mount options out of a server's config."""

from dataclasses import replace

from fuse.mount_options import mount_options
from fuse.server_config import ServerConfig

CONFIG = ServerConfig(mountpoint="/m", tree="/t", layers=(), ready_fd=3)


def test_in_an_own_namespace() -> None:
    """Set-ID programs and device nodes work, everyone may enter, the kernel checks modes."""
    assert mount_options(CONFIG) == {
        "fsname=rootless",
        "subtype=rootless",
        "ro",
        "default_permissions",
        "suid",
        "dev",
        "allow_other",
    }


def test_writable_with_an_upperdir() -> None:
    """With an upperdir the mount is not read-only."""
    assert "ro" not in mount_options(replace(CONFIG, upperdir_fd=5, workdir_fd=6))


def test_through_fusermount() -> None:
    """An ordinary user in the host's namespace gets neither set-ID programs nor others."""
    options = mount_options(replace(CONFIG, use_fusermount=True, default_permissions=False))
    assert options == {"fsname=rootless", "subtype=rootless", "ro"}


def test_a_name_cannot_add_options() -> None:
    """Commas and backslashes of a name are protected; what is no ASCII is shown as `?`."""
    assert "fsname=a\\,suid\\\\b?" in mount_options(replace(CONFIG, fsname="a,suid\\b\u00e9"))
