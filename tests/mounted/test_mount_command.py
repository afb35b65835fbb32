"""mount(8) mounts with `rootless-overlay`, by way of mount.fuse3(8).

The path of the program is in the source or in the type: mount(8) has a PATH of its own, which the
environment that the tests run in is not on.
"""

import subprocess
from pathlib import Path

import pytest
from mounting import is_mounted
from overlay_command import EXECUTABLE

pytestmark = [pytest.mark.needs_fuse, pytest.mark.needs_root]

DIRECTORIES = {"lowerdir": "l", "upperdir": "u", "workdir": "w"}


@pytest.mark.parametrize("words", [("fuse", f"{EXECUTABLE}#x"), (f"fuse.{EXECUTABLE}", "x")])
def test_mount_starts_it(tmp_path: Path, words: tuple[str, str]) -> None:
    """It shows the layers, takes changes and goes with umount(8); words for mount(8) are taken."""
    for name in ("l", "u", "w", "mnt"):
        (tmp_path / name).mkdir()
    (tmp_path / "l/below").write_text("below")
    root = tmp_path / "mnt"
    options = ",".join(f"{key}={tmp_path / name}" for key, name in DIRECTORIES.items())
    options += ",noatime,nodev,noauto,nofail,x-systemd.requires=/"
    kind, source = words
    run("mount", "-t", kind, "-o", options, source, root)
    try:
        assert (root / "below").read_text() == "below"
        (root / "new").write_text("written")
        table = Path("/proc/self/mountinfo").read_text().splitlines()
        shown = next(line for line in table if f" {root} " in line).split()[5].split(",")
        assert {"noatime", "nodev"} <= set(shown)
    finally:
        run("umount", root)
    assert not is_mounted(root)
    assert (tmp_path / "u/new").read_text() == "written"


def test_what_it_says_arrives(tmp_path: Path) -> None:
    """An error is mount(8)'s too, with the one line."""
    done = subprocess.run(
        ["mount", "-t", "fuse", "-o", "lowerdir=/none", f"{EXECUTABLE}#x", tmp_path],
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode != 0
    assert "rootless-overlay: cannot mount" in done.stderr
    assert "No such file or directory: '/none'" in done.stderr
    assert not is_mounted(tmp_path)


def run(*words: str | Path) -> None:
    """Run a command, which must succeed without a word."""
    done = subprocess.run(words, capture_output=True, encoding="utf-8", check=False)
    assert (done.returncode, done.stderr) == (0, "")
