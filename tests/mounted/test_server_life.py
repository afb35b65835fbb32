"""How a server begins and ends, and what its users see then."""

import contextlib
import errno
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import images
import pytest
from mounting import Mount, Mounting, is_mounted

from fuse.server_config import ServerConfig

pytestmark = [pytest.mark.needs_fuse, pytest.mark.needs_user, pytest.mark.new_interpreter]

WITHIN = 5.0


def layers() -> list[images.LayerBuilder]:
    """A few files."""
    layer = images.LayerBuilder().file("file", b"contents").directory("dir")
    for number in range(300):
        layer.file(f"dir/f{number}", b"%d" % number)
    return [layer]


def wait_until_gone(pid: int) -> None:
    """Wait for the end of a process that is not reaped yet."""
    deadline = time.monotonic() + WITHIN
    while time.monotonic() < deadline:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        if state == "Z":
            return
        time.sleep(0.01)
    raise AssertionError("the server lives on")


def test_sigkill_gives_an_error_and_no_hang(mounting: Mounting) -> None:
    """After kill -9 of the server every access fails with ENOTCONN at once."""

    def scenario(mount: Mount) -> None:
        opened = os.open(mount.root / "file", os.O_RDONLY)
        mount.server.process.kill()
        wait_until_gone(mount.server.process.pid)
        begin = time.monotonic()
        for access in (
            lambda: os.listdir(mount.root / "dir"),
            (mount.root / "file").read_bytes,
            lambda: os.pread(opened, 100, 0),
        ):
            with pytest.raises(OSError, match="not connected") as caught:
                access()
            assert caught.value.errno == errno.ENOTCONN
        assert time.monotonic() - begin < WITHIN
        with contextlib.suppress(OSError):  # flush is a request too
            os.close(opened)

    mounting.run(layers(), scenario)


def test_sigkill_in_the_middle_of_requests(mounting: Mounting) -> None:
    """A process that is reading when the server is killed gets an error and ends."""

    def scenario(mount: Mount) -> None:
        reader = subprocess.Popen(
            ["/bin/sh", "-c", f"while cat {mount.root}/dir/* >/dev/null 2>&1; do :; done"]
        )
        time.sleep(0.2)
        mount.server.process.kill()
        assert reader.wait(WITHIN) == 0

    mounting.run(layers(), scenario, writable=False)


def test_end_of_the_owner_ends_the_server(mounting: Mounting) -> None:
    """When the lifeline is closed the mount goes and the server ends, users or not."""

    def scenario(mount: Mount) -> None:
        opened = os.open(mount.root / "file", os.O_RDONLY)
        os.close(mount.server.lifeline)
        mount.server.lifeline = -1
        wait_until_gone(mount.server.process.pid)
        assert not is_mounted(mount.root)
        assert os.listdir(mount.root) == []
        with contextlib.suppress(OSError):  # flush is a request too
            os.close(opened)

    mounting.run(layers(), scenario)


def test_sigterm_unmounts(mounting: Mounting) -> None:
    """SIGTERM takes the mount away and ends the server with status 0, also under load."""

    def scenario(mount: Mount) -> None:
        load = subprocess.Popen(
            ["/bin/sh", "-c", f"while find {mount.root}/dir >/dev/null 2>&1; do :; done"]
        )
        time.sleep(0.2)
        mount.server.process.send_signal(signal.SIGTERM)
        assert mount.server.process.wait(WITHIN) == 0
        assert not is_mounted(mount.root)
        load.wait(WITHIN)

    mounting.run(layers(), scenario)


def test_unmounting_ends_the_server(mounting: Mounting) -> None:
    """A plain umount(2) ends the server."""

    def scenario(mount: Mount) -> None:
        subprocess.run(["umount", mount.root], check=True)
        assert mount.server.process.wait(WITHIN) == 0

    mounting.run(layers(), scenario)


def test_signals_of_a_terminal_do_nothing(mounting: Mounting) -> None:
    """Ctrl-C, a hang-up and a stop are not for the server."""

    def scenario(mount: Mount) -> None:
        for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP, signal.SIGTSTP):
            mount.server.process.send_signal(number)
        time.sleep(0.1)
        assert (mount.root / "file").read_bytes() == b"contents"

    mounting.run(layers(), scenario)


def test_clients_that_are_killed_do_no_harm(mounting: Mounting) -> None:
    """Requests whose client is killed do not stop the service."""

    def scenario(mount: Mount) -> None:
        for round_ in range(30):
            client = subprocess.Popen(
                ["/bin/sh", "-c", f"while :; do cat {mount.root}/dir/* >/dev/null; done"],
                start_new_session=True,
            )
            time.sleep(0.005 * (round_ % 5))
            os.killpg(client.pid, signal.SIGKILL)
            client.wait()
        assert (mount.root / "file").read_bytes() == b"contents"

    mounting.run(layers(), scenario, writable=False)


def test_an_error_to_mount_is_told(mounting: Mounting) -> None:
    """A mount point that is missing is one line on the ready descriptor, and status 1."""

    def scenario(mount: Mount) -> None:
        reader, writer = os.pipe()
        config = ServerConfig(
            mountpoint=str(mount.root.parent / "missing"),
            tree=mount.config.tree,
            layers=mount.config.layers,
            ready_fd=writer,
            log_path=os.devnull,
        )
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "fuse.server", config.to_json()],
            pass_fds=(writer,),
            cwd="/",
        )
        os.close(writer)
        with open(reader, "rb") as said:
            line = said.read().decode()
        assert process.wait(WITHIN) == 1
        assert line.startswith("error ")
        assert "missing" in line
        assert line.count("\n") == 1

    mounting.run(layers(), scenario)


def test_an_exception_in_a_handler_is_an_io_error(mounting: Mounting) -> None:
    """A damaged layer gives EIO for its file; the mount serves on."""

    def scenario(mount: Mount) -> None:
        os.truncate(mount.config.layers[0], 512)
        mount.expects_log = True
        with pytest.raises(OSError, match="Input/output") as caught:
            (mount.root / "dir/f7").read_bytes()
        assert caught.value.errno == errno.EIO
        assert len(os.listdir(mount.root / "dir")) == 300

    mounting.run(layers(), scenario, writable=False)
