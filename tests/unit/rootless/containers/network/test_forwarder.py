"""What a program that carries packets says, and one that cannot be started."""

import errno
import os
from pathlib import Path

import pytest

from rootless.containers.network.forwarder import device_fix, essence, start
from rootless.errors import Precondition, RootlessError

pytestmark = pytest.mark.skipif(
    not os.access("/dev/net/tun", os.R_OK | os.W_OK), reason="needs kernel with tun"
)


@pytest.mark.parametrize(
    ("said", "line"),
    [
        ("", ""),
        ("Failed to send 46 bytes to syslog\nExternal interface not usable\n\n", "External"),
        ("pasta: unrecognized option '--x'\nUsage: pasta\n  -d  Be verbose\n", "pasta: unrec"),
        ("open(tun): no\nWARNING: Support for seccomp is new\nchild failed(1)\n", "open(tun)"),
    ],
)
def test_essence(said: str, line: str) -> None:
    """Of all that is said, the line that tells why."""
    assert essence(said).startswith(line)
    assert bool(essence(said)) is bool(line)


def test_device_fix() -> None:
    """A device that is there and closed is opened; one that is not is loaded."""
    assert "chmod 0666" in device_fix(errno.EACCES)
    assert "modprobe tun" in device_fix(errno.ENOENT)


def try_start(script: str, folder: Path) -> None:
    """Start a shell script as a program of that kind, with no namespace worth the name."""
    fd = os.open(os.devnull, os.O_RDWR)
    try:
        start("pasta", ["sh", "-c", script], fd, str(folder)).stop()
    finally:
        os.close(fd)


def test_why_it_ended(tmp_path: Path) -> None:
    """A program that ends before it is ready: its words are the error's, or how it ended."""
    with pytest.raises(RootlessError, match=r"pasta could not connect the network: no luck$"):
        try_start("echo no luck >&2; exit 3", tmp_path)
    with pytest.raises(RootlessError, match=r"could not connect the network: status 3$"):
        try_start("exit 3", tmp_path)
    with pytest.raises(RootlessError, match=r"could not connect the network: ended by SIGKILL$"):
        try_start("kill -9 $$", tmp_path)
    with pytest.raises(RootlessError, match=r"not usable \(.*--network slirp4netns does"):
        try_start("echo External interface not usable >&2; exit 1", tmp_path)


def test_ready(tmp_path: Path) -> None:
    """A byte on the first descriptor is readiness; it runs where it was told, and is ended."""
    try_start("pwd >here; echo 1 >&0; exec sleep 600", tmp_path)
    assert (tmp_path / "here").read_text() == f"{tmp_path}\n"


def test_what_it_says_does_not_hold_it_up(tmp_path: Path) -> None:
    """More words than the pipe holds are lost, and the program goes on."""
    script = "head -c 300000 /dev/zero | tr '\\0' x >&2 2>/dev/null; echo 1 >&0; exec sleep 600"
    try_start(script, tmp_path)


def test_not_installed(tmp_path: Path) -> None:
    """A program that is not there names its package and the check."""
    fd = os.open(os.devnull, os.O_RDWR)
    try:
        with pytest.raises(Precondition, match=r"not installed: no-such-pasta .*passt") as caught:
            start("pasta", ["no-such-pasta"], fd, str(tmp_path))
    finally:
        os.close(fd)
    assert caught.value.check == "network"
