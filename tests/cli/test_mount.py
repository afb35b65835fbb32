"""`rootless mount` and `rootless umount`, as an ordinary user."""

import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import images
import pytest
from executable import Rootless

pytestmark = [pytest.mark.needs_fuse, pytest.mark.needs_user]


@pytest.fixture
def loaded(rootless: Rootless, tmp_path: Path) -> Rootless:
    """A store with one image, `pic`."""
    layer = images.LayerBuilder().directory("etc").file("etc/secret", b"s", mode=0o600, uid=7)
    images.oci_layout(tmp_path / "layout", [layer], tag="pic")
    rootless.ok("load", "-q", tmp_path / "layout")
    return rootless


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An empty folder."""
    path = tmp_path / "a folder"
    path.mkdir()
    return path


def servers(folder: Path) -> list[int]:
    """Return the processes that serve a folder."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            words = (entry / "cmdline").read_bytes()
        except OSError:
            continue
        if b"fuse.server" in words and os.fsencode(folder) in words:
            found.append(int(entry.name))
    return found


def test_shows_an_image_and_ends(
    loaded: Rootless, folder: Path, wait_until: Callable[[Callable[[], bool]], None]
) -> None:
    """The folder shows the image, whatever its modes; after umount nothing is left."""
    loaded.ok("mount", "pic", folder)
    assert (folder / "etc/secret").read_bytes() == b"s"
    assert (folder / "etc/secret").stat().st_uid == 7
    loaded.ok("umount", folder)
    assert os.listdir(folder) == []
    wait_until(lambda: not servers(folder))


def test_wants_an_empty_folder(loaded: Rootless, folder: Path) -> None:
    """A folder that is missing, no folder, or full is refused in one line."""
    missing = loaded("mount", "pic", folder / "missing")
    assert missing.status == 125
    assert missing.stderr == (
        f"rootless: no such directory: {folder}/missing (make it first: mkdir {folder}/missing)\n"
    )
    (folder / "file").touch()
    assert "not empty" in loaded("mount", "pic", folder).stderr
    assert "not a directory" in loaded("mount", "pic", folder / "file").stderr


def test_refuses_to_mount_twice(loaded: Rootless, folder: Path) -> None:
    """A folder that has a mount is refused, and how to end that is said."""
    loaded.ok("mount", "pic", folder)
    again = loaded("mount", "pic", folder)
    assert again.status == 125
    assert f"rootless umount {folder}" in again.stderr
    loaded.ok("umount", folder)


def test_a_dead_mount_is_named_and_removed(
    loaded: Rootless, folder: Path, wait_until: Callable[[Callable[[], bool]], None]
) -> None:
    """After a kill -9 of the server, mount says what is there and umount takes it away."""
    loaded.ok("mount", "pic", folder)
    for pid in servers(folder):
        os.kill(pid, signal.SIGKILL)
    wait_until(lambda: not servers(folder))
    assert "has died" in loaded("mount", "pic", folder).stderr
    loaded.ok("umount", folder)
    loaded.ok("mount", "pic", folder)
    loaded.ok("umount", folder)


def test_a_busy_folder_needs_lazy(loaded: Rootless, folder: Path) -> None:
    """A folder in use is not unmounted; --lazy takes it out of sight."""
    loaded.ok("mount", "pic", folder)
    with (folder / "etc/secret").open("rb") as file:
        busy = loaded("umount", folder)
        assert busy.status == 125
        assert "--lazy" in busy.stderr
        loaded.ok("umount", "--lazy", folder)
        assert os.listdir(folder) == []
        assert file.read() == b"s"


def test_umount_touches_nothing_else(loaded: Rootless, folder: Path) -> None:
    """What `rootless mount` did not mount is left alone."""
    assert "nothing is mounted there" in loaded("umount", folder).stderr
    assert "a proc is mounted there" in loaded("umount", "/proc").stderr


def test_names_the_missing_helper(loaded: Rootless, folder: Path, tmp_path: Path) -> None:
    """Without fusermount3 the error names the package."""
    (tmp_path / "bin").mkdir()
    said = loaded("mount", "pic", folder, env={"PATH": str(tmp_path / "bin")})
    assert said.status == 125
    assert "fuse3" in said.stderr


def test_foreground_ends_with_ctrl_c(
    loaded: Rootless, folder: Path, wait_until: Callable[[Callable[[], bool]], None]
) -> None:
    """--foreground stays; Ctrl-C unmounts and gives 130."""
    process = subprocess.Popen(
        loaded.command("mount", "--foreground", "pic", folder), env=dict(loaded.home.environ)
    )
    wait_until((folder / "etc").exists)
    time.sleep(0.1)
    assert process.poll() is None
    process.send_signal(signal.SIGINT)
    assert process.wait(10) == 130
    assert os.listdir(folder) == []


def test_foreground_ends_with_the_mount(
    loaded: Rootless, folder: Path, wait_until: Callable[[Callable[[], bool]], None]
) -> None:
    """--foreground returns 0 when the folder is unmounted."""
    process = subprocess.Popen(
        loaded.command("mount", "--foreground", "pic", folder), env=dict(loaded.home.environ)
    )
    wait_until((folder / "etc").exists)
    loaded.ok("umount", folder)
    assert process.wait(10) == 0
