"""Extended attributes of a writable mount."""

import errno
import os

import images
import pytest
from mounting import Mount, Mounting

pytestmark = [pytest.mark.needs_fuse, pytest.mark.needs_user]


def layers() -> list[images.LayerBuilder]:
    """A file with an attribute, one without."""
    return [
        images.LayerBuilder()
        .file("f", b"x", xattrs={"user.colour": b"blue", "user.size": b"big"})
        .file("plain")
        .directory("dir")
    ]


def test_set_get_list_remove(mounting: Mounting) -> None:
    """Attributes are kept beside those of the image, changed and removed."""

    def scenario(mount: Mount) -> None:
        path = mount.root / "f"
        os.setxattr(path, "user.new", b"n")
        os.setxattr(path, "user.size", b"small")
        os.removexattr(path, "user.colour")
        for _ in range(2):
            assert sorted(os.listxattr(path)) == ["user.new", "user.size"]
            assert os.getxattr(path, "user.size") == b"small"
            with pytest.raises(OSError, match="No data") as caught:
                os.getxattr(path, "user.colour")
            assert caught.value.errno == errno.ENODATA
            mount.remount()

    mounting.run(layers(), scenario)


def test_create_and_replace(mounting: Mounting) -> None:
    """XATTR_CREATE wants it absent, XATTR_REPLACE present."""

    def scenario(mount: Mount) -> None:
        path = mount.root / "f"
        with pytest.raises(FileExistsError):
            os.setxattr(path, "user.colour", b"red", os.XATTR_CREATE)
        os.setxattr(path, "user.colour", b"red", os.XATTR_REPLACE)
        with pytest.raises(OSError, match="No data"):
            os.setxattr(path, "user.none", b"x", os.XATTR_REPLACE)
        os.setxattr(path, "user.none", b"x", os.XATTR_CREATE)
        assert os.getxattr(path, "user.colour") == b"red"

    mounting.run(layers(), scenario)


def test_copy_up_takes_attributes_along(mounting: Mounting) -> None:
    """Another change of the file keeps the image's attributes."""

    def scenario(mount: Mount) -> None:
        (mount.root / "f").chmod(0o600)
        assert os.getxattr(mount.upper / "f", "user.colour") == b"blue"
        assert sorted(os.listxattr(mount.root / "f")) == ["user.colour", "user.size"]

    mounting.run(layers(), scenario)


def test_the_overlays_own_notes_are_hidden(mounting: Mounting) -> None:
    """What the upperdir notes is not shown; a program's attribute of such a name is its own."""

    def scenario(mount: Mount) -> None:
        (mount.root / "dir").rmdir()
        (mount.root / "dir").mkdir()  # opaque
        assert os.listxattr(mount.root / "dir") == []
        os.setxattr(mount.root / "dir", "user.overlay.opaque", b"mine")
        assert os.listxattr(mount.root / "dir") == ["user.overlay.opaque"]
        assert os.getxattr(mount.root / "dir", "user.overlay.opaque") == b"mine"
        assert os.getxattr(mount.upper / "dir", "user.overlay.opaque") == b"y"

    mounting.run(layers(), scenario)


def test_file_capabilities_survive_copy_up(mounting: Mounting) -> None:
    """security.capability of an image is readable, and still there after a chmod-free change."""
    value = bytes.fromhex("0100000200200000000000000000000000000000")
    layer = images.LayerBuilder().file(
        "ping", b"x", mode=0o755, xattrs={"security.capability": value}
    )

    def scenario(mount: Mount) -> None:
        assert os.getxattr(mount.root / "ping", "security.capability") == value
        os.utime(mount.root / "ping", (1, 2))
        assert os.getxattr(mount.root / "ping", "security.capability") == value

    mounting.run([layer], scenario)
