"""Check `overlay`."""

from dataclasses import replace
from pathlib import Path

import pytest

from rootless.doctor import store_fs
from rootless.doctor.check import State
from rootless.doctor.overlay import OverlayFacts, check_overlay, gather
from rootless.doctor.store_fs import FolderFacts
from rootless.errors import RootlessError
from rootless.linux.statfs import FileSystem
from rootless.userns.subid import Caller

DISK = FileSystem("ext4", 50 << 30, 1 << 20, read_only=False, no_exec=False, no_dev=False)
SCRATCH = FolderFacts(Path("/home/ann/s"), Path("/home/ann"), DISK)
WORKS = OverlayFacts(tried=True, known=True, refused=None, scratch=SCRATCH)
REFUSED = replace(WORKS, refused=RootlessError("Invalid argument"))


def test_hybrid() -> None:
    """Where kernel overlayfs mounts, the driver is hybrid."""
    check = check_overlay(WORKS)
    assert check.state is State.OK
    assert "hybrid" in check.seen


@pytest.mark.parametrize(
    ("facts", "cause", "fix"),
    [
        (replace(REFUSED, known=False), "no overlayfs loaded", "modprobe overlay"),
        (
            replace(
                REFUSED,
                scratch=replace(
                    SCRATCH, user_xattrs=False, file_system=replace(DISK, type_name="nfs")
                ),
            ),
            "nfs keeps no user xattrs",
            "$ROOTLESS_SCRATCH",
        ),
        (REFUSED, "Linux 5.11", "the driver fuse works"),
    ],
)
def test_refused_is_a_warning(facts: OverlayFacts, cause: str, fix: str) -> None:
    """Without kernel overlayfs it runs with the other driver; why, and the way out, are said."""
    check = check_overlay(facts)
    assert check.state is State.WARNING
    assert "driver fuse: kernel overlayfs is refused (Invalid argument)" in check.seen
    assert cause in check.cause
    assert fix in check.fix


def test_not_tried() -> None:
    """Where there was no namespace to try in, no claim is made."""
    assert check_overlay(replace(WORKS, tried=False)).seen == "not tried"


@pytest.mark.both_users
def test_this_host(tmp_path: Path) -> None:
    """The real attempt ends in a verdict and leaves nothing in the scratch folder."""
    facts = gather(Caller.current(), store_fs.gather(tmp_path), userns_works=True)
    assert facts.tried
    assert check_overlay(facts).state in (State.OK, State.WARNING)
    assert list(tmp_path.iterdir()) == []
