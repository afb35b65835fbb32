"""Check `overlay`: which overlay driver `run` takes.

Tried as `run` does it: kernel overlayfs with `userxattr`, its upperdir in the scratch folder.
Where that is refused, the FUSE file system does the overlay itself.
"""

import tempfile
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from rootless.doctor.attempt import attempt, mount_overlay
from rootless.doctor.check import Check, State
from rootless.doctor.store_fs import FolderFacts
from rootless.errors import RootlessError
from rootless.userns.subid import Caller


@dataclass(frozen=True, slots=True)
class OverlayFacts:
    """What was found.

    Attributes:
        tried: There was a namespace to try in and a folder to write to.
        known: The kernel lists overlay in /proc/filesystems: built in, or its module is loaded.
        refused: What the mount ended with; None where it worked.
        scratch: The folder that holds the upperdir.
    """

    tried: bool
    known: bool
    refused: RootlessError | None
    scratch: FolderFacts


def gather(caller: Caller, scratch: FolderFacts, *, userns_works: bool) -> OverlayFacts:
    """Mount one in a throw-away namespace."""
    if not userns_works or scratch.write_errno:
        return OverlayFacts(tried=False, known=_is_known(), refused=None, scratch=scratch)
    with (
        tempfile.TemporaryDirectory(prefix="rootless-doctor-") as here,
        tempfile.TemporaryDirectory(prefix=".tmp-doctor-", dir=scratch.existing) as there,
    ):
        lower, target = Path(here, "lower"), Path(here, "target")
        upper, work = Path(there, "upper"), Path(there, "work")
        for folder in (lower, target, upper, work):
            folder.mkdir()
        (lower / "removed").touch()
        refused = attempt(
            partial(mount_overlay, lower, upper, work, target), caller=caller, single=True
        )
    # asked for afterwards: the attempt loads the module where the kernel may load it
    return OverlayFacts(tried=True, known=_is_known(), refused=refused, scratch=scratch)


def check_overlay(facts: OverlayFacts) -> Check:
    """Judge."""
    name = "overlay"
    if not facts.tried:
        return Check(
            name, State.WARNING, "not tried", "another check failed first", "see the checks above"
        )
    if facts.refused is None:
        return Check(name, State.OK, "driver hybrid: kernel overlayfs with userxattr mounts")
    seen = f"driver fuse: kernel overlayfs is refused ({facts.refused.what})"
    if not facts.known:
        cause = "the kernel has no overlayfs loaded"
        fix = "as root: modprobe overlay && echo overlay >/etc/modules-load.d/overlay.conf"
    elif not facts.scratch.user_xattrs:
        cause = (
            f"{facts.scratch.file_system.type_name} keeps no user xattrs in "
            f"{facts.scratch.existing}"
        )
        fix = "name a folder on a local disk with $ROOTLESS_SCRATCH"
    else:
        cause = (
            f"overlayfs needs Linux 5.11 for this, and not every file system can hold its "
            f"upperdir; this is {facts.scratch.file_system.type_name}"
        )
        fix = "name a folder on ext4, xfs or btrfs with $ROOTLESS_SCRATCH; the driver fuse works"
    return Check(name, State.WARNING, seen, cause, fix)


def _is_known() -> bool:
    try:
        text = Path("/proc/filesystems").read_text(encoding="ascii")
    except OSError:
        return True
    return "overlay" in text.split()
