"""pivot_root(2) and chroot(2): another root for a mount namespace, or for the caller alone."""

import ctypes
import os

from rootless.linux.libc import syscall
from rootless.linux.mount_api import MNT_DETACH, umount

_SYS_PIVOT_ROOT = {"x86_64": 155, "ppc64le": 203, "s390x": 217}.get(os.uname().machine, 41)


def pivot_root(new_root_fd: int) -> None:
    """Make the mount at `new_root_fd` the root and detach the old one.

    The new root is stacked on the old one and the old one is then unmounted from below, so that
    no directory for it is needed (pivot_root(2), "pivot_root(".", ".")").
    """
    old_root = os.open("/", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fchdir(new_root_fd)
        syscall(_SYS_PIVOT_ROOT, ctypes.c_char_p(b"."), ctypes.c_char_p(b"."))
        os.fchdir(old_root)
        umount(".", MNT_DETACH)
        os.chdir("/")
    finally:
        os.close(old_root)


def change_root(new_root_fd: int) -> None:
    """Make a directory the root of the caller alone (chroot(2)).

    For a mount namespace that others live in: pivot_root(2) would give them another root.
    """
    os.fchdir(new_root_fd)
    os.chroot(".")
    os.chdir("/")
