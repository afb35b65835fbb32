"""Checks `fuse-device` and `fusermount`.

`run` mounts FUSE itself, inside its own namespaces; fusermount3 is for `rootless mount` only, which
mounts where the user's shell can see it.
"""

import errno
import os
import shutil
import stat
import tempfile
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from rootless.doctor.attempt import attempt, mount_fuse
from rootless.doctor.check import Check, State
from rootless.errors import RootlessError
from rootless.userns.subid import Caller

DEVICE = "/dev/fuse"


@dataclass(frozen=True, slots=True)
class FuseFacts:
    """What was found.

    Attributes:
        open_errno: Why /dev/fuse cannot be opened; 0 where it can.
        mode: Its permission bits; -1 where it is not there.
        refused: What a mount in a namespace ended with; None where it worked or was not tried.
        fusermount: Path of fusermount3; empty where it is not on PATH.
        fusermount_set_id: It is set-user-ID root.
    """

    open_errno: int = 0
    mode: int = 0o666
    refused: RootlessError | None = None
    fusermount: str = ""
    fusermount_set_id: bool = False


def gather(caller: Caller, *, userns_works: bool) -> FuseFacts:
    """Open the device, and mount where a namespace can be had."""
    open_errno, mode = 0, -1
    try:
        mode = stat.S_IMODE(os.stat(DEVICE).st_mode)
        os.close(os.open(DEVICE, os.O_RDWR | os.O_CLOEXEC))
    except OSError as error:
        open_errno = error.errno or errno.EIO
    refused = None
    if not open_errno and userns_works:
        with tempfile.TemporaryDirectory(prefix="rootless-doctor-") as folder:
            refused = attempt(partial(mount_fuse, Path(folder)), caller=caller, single=True)
    tool = shutil.which("fusermount3") or ""
    set_id = bool(tool) and bool(os.stat(tool).st_mode & stat.S_ISUID)
    return FuseFacts(open_errno, mode, refused, tool, set_id)


def check_device(facts: FuseFacts) -> Check:
    """Judge the device."""
    name = "fuse-device"
    if facts.mode < 0:
        return Check(
            name,
            State.FAILED,
            f"{DEVICE} is not there",
            "the kernel module fuse is not loaded, or a surrounding container hides the device",
            "as root: modprobe fuse && echo fuse >/etc/modules-load.d/fuse.conf "
            "(in a container: start that with --device /dev/fuse)",
        )
    seen = f"{DEVICE}, mode {facts.mode:04o}"
    if facts.open_errno in (errno.EACCES, errno.EPERM) and facts.mode & 0o666 != 0o666:
        return Check(
            name,
            State.FAILED,
            seen,
            "ordinary users may not open it",
            "as root: chmod 0666 /dev/fuse && "
            """echo 'KERNEL=="fuse", MODE="0666"' >/etc/udev/rules.d/99-fuse.rules""",
        )
    if facts.open_errno:
        return Check(
            name,
            State.FAILED,
            seen,
            f"opening it fails: {os.strerror(facts.open_errno)}; a device policy (cgroup, nodev) "
            "of a surrounding container forbids it",
            "start that container with --device /dev/fuse",
        )
    if facts.refused is not None:
        return Check(
            name,
            State.FAILED,
            seen,
            f"a FUSE mount in a user namespace is refused: {facts.refused.what}",
            "use Linux 4.18 or later; in a container, one whose seccomp profile allows mount",
        )
    return Check(name, State.OK, f"{seen}, opened and mounted in a user namespace")


def check_fusermount(facts: FuseFacts) -> Check:
    """Judge fusermount3."""
    name = "fusermount"
    if not facts.fusermount:
        return Check(
            name,
            State.WARNING,
            "fusermount3 is not installed",
            "`rootless mount` needs it; `rootless run` does not",
            "as root: apt-get install fuse3",
        )
    if not facts.fusermount_set_id:
        return Check(
            name,
            State.WARNING,
            facts.fusermount,
            "not set-user-ID root, so `rootless mount` cannot mount; `rootless run` can",
            f"as root: chmod u+s {facts.fusermount}",
        )
    return Check(name, State.OK, facts.fusermount)
