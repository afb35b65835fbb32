"""New objects of every kind, and who owns them."""

import errno
import os
import socket
import stat

import images
import pytest
from mounting import Mount, Mounting

pytestmark = [pytest.mark.needs_fuse, pytest.mark.needs_user]


def layers() -> list[images.LayerBuilder]:
    """A folder to make things in, a device node, a pipe."""
    return [
        images.LayerBuilder()
        .directory("dir", mode=0o777)
        .directory("group", mode=0o2777, gid=50)
        .device("null", "c", 1, 3, mode=0o666)
        .fifo("pipe")
    ]


def test_fifo_and_socket(mounting: Mounting) -> None:
    """A FIFO passes data, a socket accepts; both are there after a remount."""

    def scenario(mount: Mount) -> None:
        for pipe in (mount.root / "dir/fifo", mount.root / "pipe"):
            if not pipe.exists():
                os.mkfifo(pipe, 0o620)
            reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
            writer = os.open(pipe, os.O_WRONLY)
            os.write(writer, b"through")
            assert os.read(reader, 100) == b"through"
            os.close(reader)
            os.close(writer)
        os.chdir(mount.root / "dir")
        with socket.socket(socket.AF_UNIX) as listener, socket.socket(socket.AF_UNIX) as client:
            listener.bind("socket")
            listener.listen()
            client.connect("socket")
        os.chdir("/")
        mount.remount()
        assert stat.S_ISFIFO((mount.root / "dir/fifo").stat().st_mode)
        assert stat.S_ISSOCK((mount.root / "dir/socket").stat().st_mode)

    mounting.run(layers(), scenario)


def test_device_nodes_keep_kind_and_number(mounting: Mounting) -> None:
    """A device node of the image is shown as one, also when a change has copied it up."""

    def scenario(mount: Mount) -> None:
        for _ in range(2):
            status = (mount.root / "null").stat()
            assert stat.S_ISCHR(status.st_mode)
            assert status.st_rdev == os.makedev(1, 3)
            (mount.root / "null").chmod(0o600)
        assert stat.S_IMODE((mount.root / "null").stat().st_mode) == 0o600
        mount.remount()
        status = (mount.root / "null").stat()
        assert (stat.S_ISCHR(status.st_mode), status.st_rdev) == (True, os.makedev(1, 3))
        with pytest.raises(PermissionError):
            os.mknod(mount.root / "mine", stat.S_IFCHR | 0o600, os.makedev(1, 3))

    mounting.run(layers(), scenario)


def test_umask_and_modes(mounting: Mounting) -> None:
    """New files, directories and links have the modes that were asked for, less the umask."""

    def scenario(mount: Mount) -> None:
        os.umask(0o027)
        os.close(os.open(mount.root / "dir/f", os.O_CREAT | os.O_WRONLY, 0o666))
        (mount.root / "dir/d").mkdir(0o1777)
        (mount.root / "dir/l").symlink_to("f")
        assert stat.S_IMODE((mount.root / "dir/f").stat().st_mode) == 0o640
        assert stat.S_IMODE((mount.root / "dir/d").stat().st_mode) == 0o1750
        assert os.readlink(mount.root / "dir/l") == "f"

    mounting.run(layers(), scenario)


def test_set_group_id_directories_pass_their_group_on(mounting: Mounting) -> None:
    """What is made in a set-GID directory has its group, a directory the bit too."""

    def scenario(mount: Mount) -> None:
        group = (mount.root / "group").stat().st_gid
        (mount.root / "group/f").write_bytes(b"")
        (mount.root / "group/d").mkdir()
        assert (mount.root / "group/f").stat().st_gid == group
        assert (mount.root / "group/d").stat().st_gid == group
        assert (mount.root / "group/d").stat().st_mode & stat.S_ISGID

    mounting.run(layers(), scenario)


@pytest.mark.needs_subid
def test_the_creator_owns_what_it_makes(mounting: Mounting) -> None:
    """A process that is not root inside owns its files."""

    def scenario(mount: Mount) -> None:
        if mount.single_id:
            return
        os.chdir(mount.root / "dir")  # what is above it is not for others
        pid = os.fork()
        if pid == 0:
            try:
                os.setgid(33)
                os.setuid(33)
                os.mkdir("folder")
                os.close(os.open("mine", os.O_CREAT | os.O_WRONLY, 0o600))
            finally:
                os._exit(0)
        os.waitpid(pid, 0)
        os.chdir("/")
        for name in ("mine", "folder"):
            status = (mount.root / "dir" / name).stat()
            assert (status.st_uid, status.st_gid) == (33, 33)

    mounting.run(layers(), scenario)


def test_exclusive_creation(mounting: Mounting) -> None:
    """O_EXCL fails where a name is taken, by the lower tree too."""

    def scenario(mount: Mount) -> None:
        with pytest.raises(FileExistsError):
            os.open(mount.root / "null", os.O_CREAT | os.O_EXCL | os.O_WRONLY)
        with pytest.raises(FileExistsError):
            (mount.root / "dir").mkdir()
        fd = os.open(mount.root / "new", os.O_CREAT | os.O_EXCL | os.O_WRONLY)
        os.fsync(fd)
        os.close(fd)

    mounting.run(layers(), scenario)


def test_listing_while_entries_go(mounting: Mounting) -> None:
    """A listing that is under way gives every remaining name once while names are removed."""

    def scenario(mount: Mount) -> None:
        for number in range(1500):
            (mount.root / f"dir/n{number:04}").touch()
        seen = []
        with os.scandir(mount.root / "dir") as entries:
            for entry in entries:
                seen.append(entry.name)
                os.unlink(entry.path)
        assert sorted(seen) == [f"n{number:04}" for number in range(1500)]
        assert os.listdir(mount.root / "dir") == []

    mounting.run(layers(), scenario)


def test_a_removed_working_directory_is_empty(mounting: Mounting) -> None:
    """Whoever stands in a removed directory sees nothing and can make nothing."""

    def scenario(mount: Mount) -> None:
        (mount.root / "here").mkdir()
        os.chdir(mount.root / "here")
        (mount.root / "here").rmdir()
        assert os.listdir(".") == []
        with pytest.raises(OSError, match="No such file") as caught:
            open("file", "w").close()
        assert caught.value.errno == errno.ENOENT
        os.chdir("/")

    mounting.run(layers(), scenario)
