"""What hides the lower tree: whiteouts and opaque directories."""

import errno
import os
import shutil
import stat
from pathlib import Path

import images
import pytest
from mounting import Mount, Mounting

pytestmark = [pytest.mark.needs_fuse, pytest.mark.needs_user]


def layers() -> list[images.LayerBuilder]:
    """A folder with things in it."""
    return [
        images.LayerBuilder()
        .directory("dir")
        .file("dir/one", b"1")
        .file("dir/two", b"2")
        .directory("dir/sub")
        .file("dir/sub/three", b"3")
        .file("file", b"lower")
        .symlink("link", "file")
    ]


def is_whiteout(path: Path) -> bool:
    """Tell whether a file of the upperdir is the kernel's form of a whiteout."""
    status = path.lstat()
    return stat.S_ISCHR(status.st_mode) and status.st_rdev == 0


def test_unlink_leaves_a_whiteout(mounting: Mounting) -> None:
    """A removed lower file is gone, stays gone, and the upperdir has a 0/0 character device."""

    def scenario(mount: Mount) -> None:
        (mount.root / "dir/one").unlink()
        (mount.root / "link").unlink()
        for _ in range(2):
            assert sorted(os.listdir(mount.root / "dir")) == ["sub", "two"]
            assert not (mount.root / "dir/one").exists()
            assert not (mount.root / "link").is_symlink()
            mount.remount()
        assert is_whiteout(mount.upper / "dir/one")

    mounting.run(layers(), scenario)


def test_unlink_of_an_upper_file_leaves_nothing(mounting: Mounting) -> None:
    """A file that only the upperdir has leaves no whiteout."""

    def scenario(mount: Mount) -> None:
        (mount.root / "new").write_bytes(b"")
        (mount.root / "new").unlink()
        assert os.listdir(mount.upper) == []

    mounting.run(layers(), scenario)


def test_a_name_can_come_back(mounting: Mounting) -> None:
    """A file, a link or a directory made where a lower one was removed is the new one only."""

    def scenario(mount: Mount) -> None:
        (mount.root / "file").unlink()
        (mount.root / "file").write_bytes(b"new")
        (mount.root / "dir/one").unlink()
        (mount.root / "dir/one").symlink_to("two")
        (mount.root / "link").unlink()
        (mount.root / "link").mkdir()
        for _ in range(2):
            assert (mount.root / "file").read_bytes() == b"new"
            assert (mount.root / "dir/one").read_bytes() == b"2"
            assert os.listdir(mount.root / "link") == []
            mount.remount()

    mounting.run(layers(), scenario)


def test_rmdir_wants_an_empty_directory(mounting: Mounting) -> None:
    """Rmdir of a merged directory fails with ENOTEMPTY until nothing shows in it."""

    def scenario(mount: Mount) -> None:
        sub = mount.root / "dir/sub"
        with pytest.raises(OSError, match="not empty") as caught:
            sub.rmdir()
        assert caught.value.errno == errno.ENOTEMPTY
        (sub / "three").unlink()
        sub.rmdir()
        assert not sub.exists()
        mount.remount()
        assert not sub.exists()
        assert is_whiteout(mount.upper / "dir/sub")

    mounting.run(layers(), scenario)


def test_rmdir_of_a_lower_directory_alone(mounting: Mounting) -> None:
    """An empty lower directory goes without ever being copied up."""
    layer = images.LayerBuilder().directory("empty")

    def scenario(mount: Mount) -> None:
        (mount.root / "empty").rmdir()
        assert is_whiteout(mount.upper / "empty")
        assert os.listdir(mount.root) == []

    mounting.run([layer], scenario)


def test_a_new_directory_hides_the_old_one(mounting: Mounting) -> None:
    """A directory made where a lower one was removed is empty, and marked opaque."""

    def scenario(mount: Mount) -> None:
        remove_tree(mount.root / "dir")
        (mount.root / "dir").mkdir()
        (mount.root / "dir/new").write_bytes(b"n")
        for _ in range(2):
            assert os.listdir(mount.root / "dir") == ["new"]
            mount.remount()
        assert os.getxattr(mount.upper / "dir", "user.overlay.opaque") == b"y"
        remove_tree(mount.root / "dir")
        assert sorted(os.listdir(mount.root)) == ["file", "link"]

    mounting.run(layers(), scenario)


def test_reads_the_xattr_form(mounting: Mounting) -> None:
    """An empty file with user.overlay.whiteout hides, where its directory says that it may."""

    def scenario(mount: Mount) -> None:
        (mount.root / "dir/sub").chmod(0o700)  # brings dir into the upperdir
        (mount.upper / "dir/two").write_bytes(b"")
        os.setxattr(mount.upper / "dir/two", "user.overlay.whiteout", b"y")
        os.setxattr(mount.upper / "dir", "user.overlay.opaque", b"x")
        mount.remount()
        assert sorted(os.listdir(mount.root / "dir")) == ["one", "sub"]
        assert not (mount.root / "dir/two").exists()
        (mount.root / "dir/two").write_bytes(b"again")
        assert sorted(os.listdir(mount.root / "dir")) == ["one", "sub", "two"]

    mounting.run(layers(), scenario)


def remove_tree(path: Path) -> None:
    """Remove a directory as rm -r does."""
    for name in os.listdir(path):
        child = path / name
        if child.is_dir() and not child.is_symlink():
            remove_tree(child)
        else:
            child.unlink()
    path.rmdir()


def test_an_upperdir_that_nobody_reads_has_none(mounting: Mounting) -> None:
    """What is removed is gone all the same: looked up, listed, made again, and still open."""
    mounting.options = {"is_ephemeral": True}

    def scenario(mount: Mount) -> None:
        folder = mount.root / "dir"
        with (folder / "one").open("r+b", buffering=0) as file:
            (folder / "one").unlink()
            assert os.fstat(file.fileno()).st_nlink == 0
            assert file.read() == b"1"
            file.write(b"more")
            assert os.fstat(file.fileno()).st_size == len(b"1more")
        shutil.rmtree(folder / "sub")
        assert os.listdir(folder) == ["two"]
        assert not (folder / "sub").exists()
        assert os.listdir(mount.upper) == []
        (folder / "sub").mkdir()
        assert os.listdir(folder / "sub") == []
        shutil.rmtree(folder)
        assert sorted(os.listdir(mount.root)) == ["file", "link"]
        assert is_whiteout(mount.upper / "dir")

    mounting.run(layers(), scenario)
