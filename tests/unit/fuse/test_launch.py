"""What is done before a server is started, and how its answer is read."""

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, cast

import pytest

from fuse.launch import UNKNOWN, Launched, at_paths, launch
from fuse.server_config import ServerConfig

if TYPE_CHECKING:
    import subprocess

NO_PROCESS = cast("subprocess.Popen[bytes]", None)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory, with one folder for each purpose."""
    for name in ("lower", "upper/inside", "work", "mnt"):
        (tmp_path / name).mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        (b"ready\n", ""),
        (b"error no room\n", "no room"),
        (b"error \xff\n", "\ufffd"),
        (b"error \n", UNKNOWN),
        (b"", UNKNOWN),
    ],
)
def test_the_answer(said: bytes, reason: str) -> None:
    """`ready` is no reason; an end without a word is one too."""
    read, write = os.pipe()
    os.write(write, said)
    os.close(write)
    launched = Launched(NO_PROCESS, read, -1)
    assert launched.read_answer() == reason
    assert launched.ready_fd == -1


def test_release_closes_once() -> None:
    """The lifeline's end is seen by the server; a second call changes nothing."""
    ready_read, ready_write = os.pipe()
    lifeline_read, lifeline_write = os.pipe()
    launched = Launched(NO_PROCESS, ready_read, lifeline_write)
    launched.release()
    launched.release()
    assert os.read(lifeline_read, 1) == b""
    os.close(ready_write)
    os.close(lifeline_read)


def test_paths_become_absolute(folder: Path) -> None:
    """Relative paths and links are resolved from here, before anything is mounted."""
    (folder / "link").symlink_to("lower")
    config = ServerConfig(mountpoint="mnt", lowerdirs=("link", "./lower", "a.tar"))
    found, fds = at_paths(config, None, None)
    assert fds == ()
    assert found.mountpoint == str(folder / "mnt")
    assert found.lowerdirs == tuple(str(folder / each) for each in ("lower", "lower", "a.tar"))
    assert (found.upperdir_fd, found.workdir_fd) == (-1, -1)
    assert found.use_fusermount == (os.geteuid() != 0)
    assert found.allow_other == (os.geteuid() == 0)


def test_the_upperdir_may_be_the_mountpoint(folder: Path) -> None:
    """It is open before the mount covers it."""
    config, fds = at_paths(ServerConfig(mountpoint="upper"), "upper", "work")
    for fd in fds:
        os.close(fd)
    assert (config.upperdir_fd, config.workdir_fd) == fds


@pytest.mark.parametrize(
    ("mountpoint", "upperdir", "workdir"),
    [
        ("none", "upper", "work"),
        ("mnt", "none", "work"),
        ("mnt", "upper", "none"),
        ("upper/inside", "upper", "work"),
        ("upper/inside", "lower", "upper"),
    ],
)
def test_what_cannot_be_is_refused(
    folder: Path, mountpoint: str, upperdir: str, workdir: str
) -> None:
    """An OSError names the path; nothing stays open, which the test's end checks."""
    with pytest.raises(OSError, match=r".") as caught:
        at_paths(ServerConfig(mountpoint=mountpoint), upperdir, workdir)
    assert caught.value.filename in (mountpoint, upperdir, workdir)


@pytest.mark.parametrize("outlives", [True, False])
def test_nothing_stays_open_of_what_could_not_start(folder: Path, *, outlives: bool) -> None:
    """A log that cannot be made is an OSError, and the pipes are closed."""
    config = replace(ServerConfig(mountpoint="mnt"), log_path=str(folder / "none" / "log"))
    with pytest.raises(FileNotFoundError):
        launch(config, outlives=outlives)
