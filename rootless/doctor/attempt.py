"""Trying for real, in a throw-away namespace: what the checks claim was seen to work.

Everything here happens in a child process that ends at once; its mounts go with it.
"""

import fcntl
import os
import struct
from collections.abc import Callable
from pathlib import Path

from rootless.errors import RootlessError
from rootless.linux.mount_api import MS_NODEV, MS_NOSUID, mount
from rootless.linux.namespaces import CLONE_NEWNET, unshare, unshare_mounts
from rootless.overlay.driver import mount_overlayfs
from rootless.userns.create import run_inside
from rootless.userns.maps import MapRequest, choose_maps
from rootless.userns.subid import Caller

# linux/if_tun.h
_TUNSETIFF = 0x400454CA
_IFF_TAP = 0x0002
_IFF_NO_PI = 0x1000


def attempt(body: Callable[[], None], *, caller: Caller, single: bool) -> RootlessError | None:
    """Run `body` as root of new user and mount namespaces; return what went wrong."""

    def inside() -> None:
        unshare_mounts()
        body()

    try:
        maps = choose_maps(MapRequest(mode="single" if single else ""), caller)
        run_inside(maps, inside)
    except RootlessError as error:
        return error
    return None


def mount_tmpfs(folder: Path) -> None:
    """Mount a tmpfs: the least that a namespace must allow."""
    mount("rootless", str(folder), "tmpfs", MS_NODEV | MS_NOSUID)


def mount_fuse(folder: Path) -> None:
    """Mount a FUSE file system that nobody serves; the kernel does not wait for its server."""
    fd = os.open("/dev/fuse", os.O_RDWR | os.O_CLOEXEC)
    options = f"fd={fd},rootmode=40000,user_id=0,group_id=0"
    mount("rootless", str(folder), "fuse", MS_NODEV | MS_NOSUID, options)


def mount_overlay(lower: Path, upper: Path, work: Path, target: Path) -> None:
    """Mount overlayfs as the `hybrid` driver does, and write through it."""
    mount_overlayfs(lower, upper, work, target, volatile=False)
    (target / "removed").unlink()
    (target / "made").write_text("", encoding="ascii")


def make_tap() -> None:
    """Make the device of a network of one's own, as pasta and slirp4netns do."""
    unshare(CLONE_NEWNET)
    fd = os.open("/dev/net/tun", os.O_RDWR | os.O_CLOEXEC)
    fcntl.ioctl(fd, _TUNSETIFF, struct.pack("16sH22x", b"tap0", _IFF_TAP | _IFF_NO_PI))
