"""`allow_other`: who but the mounting user sees a mount, as /etc/fuse.conf has it (fuse(8))."""

import os
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from ordinary_user import ordinary_user
from overlay_command import EXECUTABLE

pytestmark = [pytest.mark.needs_fuse, pytest.mark.needs_root]

SCRIPT = """
mount --bind fuse.conf /etc/fuse.conf
setpriv --reuid "$1" --regid "$1" --clear-groups "$2" -o "$3" mnt || exit 3
cat mnt/file
status=$?
umount mnt
exit $status
"""


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder of the ordinary user's, with a layer and a mountpoint."""
    user = ordinary_user()
    with tempfile.TemporaryDirectory(prefix="rootless-mount-", dir="/var/tmp") as name:
        place = Path(name)
        for each in (place / "l", place / "mnt"):
            each.mkdir()
        (place / "l/file").write_text("for others")
        for each in (place, place / "l", place / "mnt"):
            os.chown(each, user.pw_uid, user.pw_gid)
        yield place


def shown_to_root(folder: Path, options: str, conf: str) -> tuple[int, str, str]:
    """Mount as the ordinary user under a fuse.conf; return what root gets when he looks."""
    (folder / "fuse.conf").write_text(conf)
    uid = str(ordinary_user().pw_uid)
    done = subprocess.run(
        ["unshare", "--mount", "sh", "-c", SCRIPT, "sh", uid, EXECUTABLE, options],
        cwd=folder,
        env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C"},
        capture_output=True,
        encoding="utf-8",
        timeout=30,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


def test_others_see_it_where_they_may(folder: Path) -> None:
    """Only he sees it; with the option others do, root among them, who has no right to it else."""
    status, said, error = shown_to_root(folder, "lowerdir=l", "user_allow_other\n")
    assert (status, said) == (1, "")
    assert "Permission denied" in error
    found = shown_to_root(folder, "lowerdir=l,allow_other", "user_allow_other\n")
    assert found == (0, "for others", "")


def test_the_administrator_decides(folder: Path) -> None:
    """Where /etc/fuse.conf does not allow it, the mount is refused in one line."""
    status, said, error = shown_to_root(folder, "lowerdir=l,allow_other", "")
    assert (status, said) == (3, "")
    assert "user_allow_other" in error
    assert len(error.splitlines()) == 1
