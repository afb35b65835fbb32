"""Where the writable layer of a run lies."""

import os
import stat
from pathlib import Path

import pytest

from rootless.errors import Conflict, StoreError
from rootless.overlay.upperdir import (
    choose_folder,
    inherit_root,
    keeps_user_xattrs,
    open_upperdir,
    suits_overlayfs,
)


@pytest.mark.parametrize("ephemeral", [True, False])
def test_has_two_folders_and_is_private(tmp_path: Path, ephemeral: bool) -> None:  # noqa: FBT001
    """An upperdir and a workdir lie side by side, in a folder that is the user's alone."""
    upperdir = open_upperdir(tmp_path / "id", ephemeral=ephemeral)
    assert sorted(os.listdir(upperdir.path)) == ["upper", "work"]
    assert stat.S_IMODE(upperdir.path.stat().st_mode) == 0o700
    assert upperdir.upper.is_dir()
    assert upperdir.work.is_dir()
    upperdir.close()
    upperdir.close()  # idempotent


def test_one_user_at_a_time(tmp_path: Path) -> None:
    """A kept upperdir that is in use is refused, and free again when it is closed."""
    first = open_upperdir(tmp_path / "kept", ephemeral=False)
    with pytest.raises(Conflict, match="another container is using this upperdir"):
        open_upperdir(tmp_path / "kept", ephemeral=False)
    first.close()
    open_upperdir(tmp_path / "kept", ephemeral=False).close()


def test_a_kept_one_keeps_its_files(tmp_path: Path) -> None:
    """Opening it again changes nothing in it."""
    first = open_upperdir(tmp_path / "a/b/kept", ephemeral=False)
    (first.upper / "file").write_text("kept")
    first.close()
    again = open_upperdir(tmp_path / "a/b/kept", ephemeral=False)
    assert (again.upper / "file").read_text() == "kept"
    again.close()


@pytest.mark.parametrize("ephemeral", [True, False])
def test_names_what_cannot_be_made(tmp_path: Path, ephemeral: bool) -> None:  # noqa: FBT001
    """A folder that cannot be made is one error, with its path and what to do."""
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match=r"Not a directory: .*file/id \(name another folder"):
        open_upperdir(tmp_path / "file" / "id", ephemeral=ephemeral)


def test_chooses_the_first_that_fits(tmp_path: Path) -> None:
    """Candidates that cannot be made or written are passed over."""
    (tmp_path / "file").touch()
    (tmp_path / "closed").mkdir(mode=0o500)
    candidates = [tmp_path / "file" / "x", Path("/proc"), tmp_path / "new", tmp_path / "other"]
    if os.getuid() != 0:
        candidates.insert(0, tmp_path / "closed")
    assert choose_folder(candidates) == tmp_path / "new"
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o700
    assert not (tmp_path / "other").exists()


def test_none_fits() -> None:
    """Where no candidate fits the answer is none: memory serves then."""
    assert choose_folder([Path("/proc"), Path("/sys")]) is None


def test_tells_what_keeps_xattrs(tmp_path: Path) -> None:
    """The probe tells a disk from /proc, and leaves nothing behind."""
    assert keeps_user_xattrs(tmp_path)
    assert not keeps_user_xattrs(Path("/proc"))
    assert os.listdir(tmp_path) == []


def test_a_new_upperdir_looks_like_the_root(tmp_path: Path) -> None:
    """Mode and time of the image's root are the merged root's, until the container changes them."""
    upper, lower = tmp_path / "upper", tmp_path / "lower"
    upper.mkdir()
    lower.mkdir()
    lower.chmod(0o1751)
    os.utime(lower, ns=(1_000_000_001, 2_000_000_002))
    inherit_root(upper, lower)
    found = upper.stat()
    assert stat.S_IMODE(found.st_mode) == 0o1751
    assert found.st_mtime_ns == 2_000_000_002

    (upper / "written").touch()
    upper.chmod(0o700)
    inherit_root(upper, lower)
    assert stat.S_IMODE(upper.stat().st_mode) == 0o700


def test_what_overlayfs_can_use(tmp_path: Path) -> None:
    """A folder with user xattrs, whose whiteouts are no names, whoever may write it."""
    assert suits_overlayfs(tmp_path)
    tmp_path.chmod(0o500)
    assert suits_overlayfs(tmp_path)
    tmp_path.chmod(0o700)
    (tmp_path / ".wh..wh.rootless").touch()
    assert not suits_overlayfs(tmp_path)
    assert not suits_overlayfs(Path("/proc/self"))
