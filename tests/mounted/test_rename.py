"""rename(2) and renameat2(2)."""

import errno
import os
from pathlib import Path

import images
import pytest
from mounting import Mount, Mounting

from fuse.renameat2 import EXCHANGE, NOREPLACE, renameat2

pytestmark = [pytest.mark.needs_fuse, pytest.mark.needs_user]

AT_FDCWD = -100


def layers() -> list[images.LayerBuilder]:
    """Files and directories to move."""
    return [
        images.LayerBuilder()
        .directory("dir")
        .file("dir/inside", b"i")
        .directory("empty")
        .file("a", b"lower a")
        .file("b", b"lower b")
        .symlink("link", "a")
    ]


def swap(one: Path, other: Path, flags: int) -> None:
    """Call renameat2."""
    renameat2(AT_FDCWD, os.fsencode(one), AT_FDCWD, os.fsencode(other), flags)


def test_moves_a_lower_file(mounting: Mounting) -> None:
    """The new name has the contents and the number; the old one is gone for good."""

    def scenario(mount: Mount) -> None:
        number = (mount.root / "a").stat().st_ino
        (mount.root / "a").rename(mount.root / "dir/moved")
        assert (mount.root / "dir/moved").stat().st_ino == number
        for _ in range(2):
            assert (mount.root / "dir/moved").read_bytes() == b"lower a"
            assert not (mount.root / "a").exists()
            assert sorted(os.listdir(mount.root / "dir")) == ["inside", "moved"]
            mount.remount()

    mounting.run(layers(), scenario)


def test_replaces_a_lower_file(mounting: Mounting) -> None:
    """A file renamed over a lower one takes its place, and can move on."""

    def scenario(mount: Mount) -> None:
        (mount.root / "new").write_bytes(b"new")
        (mount.root / "new").rename(mount.root / "a")
        assert (mount.root / "a").read_bytes() == b"new"
        (mount.root / "a").rename(mount.root / "b")
        assert (mount.root / "b").read_bytes() == b"new"
        mount.remount()
        assert (mount.root / "b").read_bytes() == b"new"
        assert not (mount.root / "a").exists()

    mounting.run(layers(), scenario)


def test_moves_a_link_itself(mounting: Mounting) -> None:
    """A symbolic link moves, not what it points to."""

    def scenario(mount: Mount) -> None:
        (mount.root / "link").rename(mount.root / "dir/link")
        assert os.readlink(mount.root / "dir/link") == "a"

    mounting.run(layers(), scenario)


def test_a_directory_of_the_lower_tree_is_another_device(mounting: Mounting) -> None:
    """A lower or merged directory gives EXDEV, as overlayfs does; mv then copies."""

    def scenario(mount: Mount) -> None:
        for _ in range(2):
            with pytest.raises(OSError, match="cross-device") as caught:
                (mount.root / "dir").rename(mount.root / "elsewhere")
            assert caught.value.errno == errno.EXDEV
            (mount.root / "dir/new").write_bytes(b"")  # merged, the second time

    mounting.run(layers(), scenario)


def test_moves_a_new_directory(mounting: Mounting) -> None:
    """A directory of the upperdir moves with all that is in it, also while it is in use."""

    def scenario(mount: Mount) -> None:
        (mount.root / "new/deep").mkdir(parents=True)
        (mount.root / "new/deep/file").write_bytes(b"f")
        with (mount.root / "new/deep/file").open("ab") as file:
            (mount.root / "new").rename(mount.root / "dir/moved")
            file.write(b"g")
        for _ in range(2):
            assert (mount.root / "dir/moved/deep/file").read_bytes() == b"fg"
            assert not (mount.root / "new").exists()
            (mount.root / "dir/moved/deep/more").write_bytes(b"m")
            mount.remount()

    mounting.run(layers(), scenario)


def test_a_new_directory_over_an_empty_lower_one(mounting: Mounting) -> None:
    """The directory that moves in shows its own contents only."""

    def scenario(mount: Mount) -> None:
        (mount.root / "new").mkdir()
        (mount.root / "new/file").write_bytes(b"f")
        (mount.root / "dir/inside").unlink()
        (mount.root / "new").rename(mount.root / "dir")
        for _ in range(2):
            assert os.listdir(mount.root / "dir") == ["file"]
            assert sorted(os.listdir(mount.root)) == ["a", "b", "dir", "empty", "link"]
            mount.remount()

    mounting.run(layers(), scenario)


def test_a_new_directory_onto_a_removed_name(mounting: Mounting) -> None:
    """A directory can take the name of a removed lower file."""

    def scenario(mount: Mount) -> None:
        (mount.root / "a").unlink()
        (mount.root / "new").mkdir()
        (mount.root / "new/file").write_bytes(b"f")
        (mount.root / "new").rename(mount.root / "a")
        for _ in range(2):
            assert os.listdir(mount.root / "a") == ["file"]
            assert sorted(os.listdir(mount.root)) == ["a", "b", "dir", "empty", "link"]
            mount.remount()

    mounting.run(layers(), scenario)


def test_a_full_directory_is_not_replaced(mounting: Mounting) -> None:
    """Renaming onto a directory with something in it fails with ENOTEMPTY."""

    def scenario(mount: Mount) -> None:
        (mount.root / "new").mkdir()
        with pytest.raises(OSError, match="not empty") as caught:
            (mount.root / "new").rename(mount.root / "dir")
        assert caught.value.errno == errno.ENOTEMPTY

    mounting.run(layers(), scenario)


def test_noreplace(mounting: Mounting) -> None:
    """RENAME_NOREPLACE fails where the new name is taken, by the lower tree too."""

    def scenario(mount: Mount) -> None:
        with pytest.raises(FileExistsError):
            swap(mount.root / "a", mount.root / "b", NOREPLACE)
        swap(mount.root / "a", mount.root / "c", NOREPLACE)
        assert (mount.root / "c").read_bytes() == b"lower a"
        swap(mount.root / "b", mount.root / "a", NOREPLACE)  # a whiteout takes no name
        assert (mount.root / "a").read_bytes() == b"lower b"

    mounting.run(layers(), scenario)


def test_exchange(mounting: Mounting) -> None:
    """RENAME_EXCHANGE swaps two names, a lower file and a new directory among them."""

    def scenario(mount: Mount) -> None:
        swap(mount.root / "a", mount.root / "b", EXCHANGE)
        (mount.root / "new").mkdir()
        (mount.root / "new/file").write_bytes(b"f")
        swap(mount.root / "new", mount.root / "b", EXCHANGE)
        for _ in range(2):
            assert (mount.root / "a").read_bytes() == b"lower b"
            assert (mount.root / "new").read_bytes() == b"lower a"
            assert os.listdir(mount.root / "b") == ["file"]
            mount.remount()

    mounting.run(layers(), scenario)


def test_what_cannot_be_exchanged(mounting: Mounting) -> None:
    """A lower or merged directory on either side is EXDEV, a missing name ENOENT."""

    def scenario(mount: Mount) -> None:
        for one, other, expected in (
            ("dir", "a", errno.EXDEV),
            ("a", "dir", errno.EXDEV),
            ("dir", "empty", errno.EXDEV),
            ("a", "none", errno.ENOENT),
        ):
            with pytest.raises(OSError, match=r"cross-device|No such") as caught:
                swap(mount.root / one, mount.root / other, EXCHANGE)
            assert caught.value.errno == expected
        assert os.listdir(mount.upper) == []

    mounting.run(layers(), scenario)
