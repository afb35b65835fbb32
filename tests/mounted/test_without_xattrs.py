"""An upperdir on a file system without user xattrs: ramfs."""

import errno
import os
from pathlib import Path

import images
import pytest
from mounting import Mount, Mounting

from fuse.renameat2 import EXCHANGE, renameat2

pytestmark = [pytest.mark.needs_fuse, pytest.mark.needs_user]

AT_FDCWD = -100
LONG = "n" * 252


@pytest.fixture
def without(mounting: Mounting) -> Mounting:
    """Mounts with such an upperdir."""
    mounting.file_system = ("ramfs", "mode=0755")
    return mounting


def layers() -> list[images.LayerBuilder]:
    """Files, links, directories, an attribute, a device, an owner."""
    return [
        images.LayerBuilder()
        .directory("dir")
        .file("dir/one", b"1", xattrs={"user.colour": b"blue"})
        .file("dir/two", b"2")
        .directory("dir/sub")
        .file("dir/sub/three", b"3")
        .directory("empty")
        .file("file", b"lower")
        .symlink("link", "file")
        .hard_link("again", "file")
        .file(LONG, b"long")
        .device("null", "c", 1, 3)
    ]


def tree(root: Path) -> list[str]:
    """Return all paths."""
    return sorted(str(path.relative_to(root)) for path in root.rglob("*"))


def twice(mount: Mount, names: dict[str, list[str]]) -> None:
    """Check what directories show, before and after a remount."""
    for _ in range(2):
        for directory, expected in names.items():
            assert sorted(os.listdir(mount.root / directory)) == expected
            for name in ("one", "two", "sub", "three"):
                assert (mount.root / directory / name).exists() == (name in expected)
        mount.remount()
        mount.expects_log = True


def test_removed_names_stay_removed(without: Mounting) -> None:
    """A removed lower name is noted as `.wh.NAME` beside it, which the mount does not show."""

    def scenario(mount: Mount) -> None:
        (mount.root / "dir/one").write_bytes(b"copied up first")
        (mount.root / "dir/one").unlink()
        (mount.root / "dir/two").unlink()
        twice(mount, {"dir": ["sub"]})
        assert sorted(os.listdir(mount.upper / "dir")) == [".wh.one", ".wh.two"]
        assert not (mount.root / "dir/.wh.one").exists()

    without.run(layers(), scenario)


def test_a_new_directory_hides_the_old_one(without: Mounting) -> None:
    """A directory made where a lower one was removed shows its own contents only."""

    def scenario(mount: Mount) -> None:
        remove_tree(mount.root / "dir")
        (mount.root / "dir").mkdir()
        (mount.root / "dir/new").write_bytes(b"n")
        twice(mount, {"dir": ["new"]})
        assert sorted(os.listdir(mount.upper)) == [".wh..wh.rootless", ".wh.dir", "dir"]
        remove_tree(mount.root / "dir")
        assert not (mount.root / "dir").exists()
        (mount.root / "dir").write_bytes(b"a file")
        mount.remount()
        assert (mount.root / "dir").read_bytes() == b"a file"

    without.run(layers(), scenario)


def test_renames(without: Mounting) -> None:
    """Files and new directories move, replace and are exchanged; what was there stays hidden."""

    def scenario(mount: Mount) -> None:
        (mount.root / "file").rename(mount.root / "dir/two")
        (mount.root / "new").mkdir()
        (mount.root / "new/one").write_bytes(b"new")
        (mount.root / "dir/sub/three").unlink()
        (mount.root / "new").rename(mount.root / "dir/sub")  # a merged one, empty by now
        (mount.root / "more").mkdir()
        (mount.root / "more").rename(mount.root / "empty")  # one of the lower tree
        twice(mount, {"dir": ["one", "sub", "two"], "dir/sub": ["one"], "empty": []})
        assert (mount.root / "dir/two").read_bytes() == b"lower"
        exchange(mount.root / "dir/sub", mount.root / "dir/one")
        assert (mount.root / "dir/sub").read_bytes() == b"1"
        twice(mount, {"dir": ["one", "sub", "two"], "dir/one": ["one"]})
        (mount.root / "dir/one").rename(mount.root / "link2")
        twice(mount, {"dir": ["sub", "two"], "link2": ["one"]})

    without.run(layers(), scenario)


def test_hard_links_stay_together(without: Mounting) -> None:
    """A change to one name of a lower file shows under the other."""

    def scenario(mount: Mount) -> None:
        (mount.root / "again").write_bytes(b"changed")
        mount.expects_log = True
        mount.remount()
        assert (mount.root / "file").read_bytes() == b"changed"
        assert (mount.root / "file").stat().st_nlink == 2

    without.run(layers(), scenario)


def test_attributes_are_refused(without: Mounting) -> None:
    """Setting one fails with EOPNOTSUPP; an image's is there until its file is changed."""

    def scenario(mount: Mount) -> None:
        mount.expects_log = True
        path = mount.root / "dir/one"
        with pytest.raises(OSError, match="not supported") as caught:
            os.setxattr(path, "user.new", b"x")
        assert caught.value.errno == errno.EOPNOTSUPP
        assert os.getxattr(path, "user.colour") == b"blue"
        path.chmod(0o600)
        assert os.listxattr(path) == []
        with pytest.raises(OSError, match="No data"):
            os.getxattr(path, "user.colour")

    without.run(layers(), scenario)
    assert "keeps no user xattrs" in (without.folder / "server.log").read_text()


def test_what_only_a_note_could_keep_is_refused(without: Mounting) -> None:
    """A device node of the image cannot be changed (EPERM), and nothing half-made is left."""

    def scenario(mount: Mount) -> None:
        mount.expects_log = True
        with pytest.raises(PermissionError):
            (mount.root / "null").chmod(0o600)
        assert (mount.root / "null").is_char_device()
        assert os.listdir(mount.upper) == [".wh..wh.rootless"]
        (mount.root / "null").unlink()
        assert not (mount.root / "null").exists()

    without.run(layers(), scenario)


def test_names_that_stand_for_whiteouts(without: Mounting) -> None:
    """A name that begins with `.wh.` cannot be made (EPERM) and is not there (ENOENT)."""

    def scenario(mount: Mount) -> None:
        mount.expects_log = True
        (mount.root / "plain").write_bytes(b"")
        for make in (
            lambda path: path.write_bytes(b""),
            lambda path: path.mkdir(),
            lambda path: path.symlink_to("file"),
            lambda path: os.link(mount.root / "plain", path),
            (mount.root / "plain").rename,
            os.mkfifo,
        ):
            with pytest.raises(PermissionError):
                make(mount.root / "dir/.wh.one")
        assert (mount.root / "dir/one").read_bytes() == b"1"
        with pytest.raises(FileNotFoundError):
            (mount.root / ".wh..wh.rootless").unlink()

    without.run(layers(), scenario)


def test_a_name_too_long_to_be_hidden(without: Mounting) -> None:
    """A lower name of more than 251 bytes cannot be removed: ENAMETOOLONG; it can be changed."""

    def scenario(mount: Mount) -> None:
        mount.expects_log = True
        with pytest.raises(OSError, match="too long") as caught:
            (mount.root / LONG).unlink()
        assert caught.value.errno == errno.ENAMETOOLONG
        (mount.root / LONG).write_bytes(b"changed")
        with pytest.raises(OSError, match="too long"):
            (mount.root / LONG).rename(mount.root / "short")
        assert (mount.root / LONG).read_bytes() == b"changed"
        assert not (mount.root / "short").exists()

    without.run(layers(), scenario)


def test_owners_and_modes_are_the_file_systems(without: Mounting) -> None:
    """Where chown works it needs no attribute: owners and modes are stored."""

    def scenario(mount: Mount) -> None:
        mount.expects_log = True
        owner = (0, 0) if mount.single_id else (8, 12)
        for name in ("file", "link", "dir"):
            os.chown(mount.root / name, *owner, follow_symlinks=False)
        (mount.root / "dir").chmod(0o2750)
        mount.remount()
        for name in ("file", "link", "dir"):
            status = (mount.root / name).lstat()
            assert (status.st_uid, status.st_gid) == owner
        assert (mount.root / "dir").stat().st_mode & 0o7777 == 0o2750

    without.run(layers(), scenario)


def exchange(one: Path, other: Path) -> None:
    """Exchange two names."""
    renameat2(AT_FDCWD, os.fsencode(one), AT_FDCWD, os.fsencode(other), EXCHANGE)


def remove_tree(path: Path) -> None:
    """Remove a directory as rm -r does."""
    for name in os.listdir(path):
        child = path / name
        if child.is_dir() and not child.is_symlink():
            remove_tree(child)
        else:
            child.unlink()
    path.rmdir()
