"""What the server holds must go when the kernel forgets: open files and memory."""

import os
from collections.abc import Callable
from pathlib import Path

import images
import pytest
from mounting import Mount, Mounting

from rootless.linux import mount_api

pytestmark = [pytest.mark.needs_fuse, pytest.mark.needs_user, pytest.mark.new_interpreter]

WaitUntil = Callable[..., None]

DIRECTORIES = 300  # more than the server keeps open
FILES = 1000


def layers() -> list[images.LayerBuilder]:
    """Many directories, each with a file; files to hold open."""
    layer = images.LayerBuilder().file("file", b"contents")
    for number in range(DIRECTORIES):
        layer.directory(f"d{number}").file(f"d{number}/file", b"%d" % number)
    return [layer]


def forget_names(mount: Mount) -> None:
    """Let the kernel forget what is not in use: a remount drops all unused names."""
    mount_api.mount(None, str(mount.root), None, mount_api.MS_REMOUNT)


def server_fds(mount: Mount) -> int:
    """Return how many files the server has open, once it serves requests."""
    os.statvfs(mount.root)  # answered by way of libfuse, which opens a pipe for its first request
    return len(os.listdir(f"/proc/{mount.server.process.pid}/fd"))


def resident(mount: Mount) -> int:
    """Return the server's resident bytes."""
    statm = Path(f"/proc/{mount.server.process.pid}/statm").read_text().split()
    return int(statm[1]) * os.sysconf("SC_PAGE_SIZE")


def test_open_files_go_with_what_they_stand_for(mounting: Mounting, wait_until: WaitUntil) -> None:
    """After copies, removals of open files and renames, all closed, no file more is open."""

    def scenario(mount: Mount) -> None:
        before = server_fds(mount)
        for number in range(DIRECTORIES):
            (mount.root / f"d{number}" / "file").write_bytes(b"changed")
            (mount.root / f"d{number}" / "new").mkdir()
        held = []
        for number in range(0, DIRECTORIES, 2):
            path = mount.root / f"d{number}" / "file"
            held.append(os.open(path, os.O_RDWR))
            path.unlink()
        for number in range(1, DIRECTORIES, 2):
            held.append(os.open(mount.root / f"d{number}" / "new", os.O_RDONLY))
            os.rmdir(mount.root / f"d{number}" / "new")
        assert server_fds(mount) >= before + DIRECTORIES // 2
        for fd in held:
            os.close(fd)
        forget_names(mount)
        wait_until(lambda: server_fds(mount) == before)

    mounting.run(layers(), scenario)


def test_a_file_that_replaces_itself_again_and_again_holds_nothing(
    mounting: Mounting, wait_until: WaitUntil
) -> None:
    """Files that are replaced by rename while they are open are let go of when closed."""

    def scenario(mount: Mount) -> None:
        before = server_fds(mount)
        for number in range(500):
            new = mount.root / "new"
            with new.open("wb") as file:
                file.write(b"%d" % number)
                new.rename(mount.root / "file")
        forget_names(mount)
        wait_until(lambda: server_fds(mount) == before)

    mounting.run(layers(), scenario)


def test_memory_does_not_grow_with_what_was(mounting: Mounting, wait_until: WaitUntil) -> None:
    """Making and removing thousands of files costs no memory that a first round did not."""

    def work(mount: Mount) -> None:
        folder = mount.root / "many"
        folder.mkdir()
        for number in range(FILES):
            (folder / f"{number}").touch()
        for number in range(FILES):
            (folder / f"{number}").unlink()
        folder.rmdir()
        forget_names(mount)

    def scenario(mount: Mount) -> None:
        work(mount)
        first = resident(mount)
        for _ in range(3):
            work(mount)
        assert resident(mount) < first + (1 << 19)  # 3,000 nodes and links have twice that

    mounting.run([images.LayerBuilder()], scenario)
