"""Mounting: mount(2), umount2(2), and the calls that work by descriptor.

open_tree(2), fsmount(2), move_mount(2) and mount_setattr(2) take descriptors, so a target that was
resolved once beneath the root file system cannot be exchanged for a link before it is mounted on.
System call numbers are the same on every architecture since Linux 5.2 (asm-generic/unistd.h).
"""

import ctypes
import os
from typing import ClassVar

from rootless.linux.libc import check, function, syscall

MS_RDONLY = 0x1
MS_NOSUID = 0x2
MS_NODEV = 0x4
MS_NOEXEC = 0x8
MS_SYNCHRONOUS = 0x10
MS_REMOUNT = 0x20
MS_MANDLOCK = 0x40
MS_DIRSYNC = 0x80
MS_NOSYMFOLLOW = 0x100
MS_NOATIME = 0x400
MS_NODIRATIME = 0x800
MS_BIND = 0x1000
MS_REC = 0x4000
MS_SILENT = 0x8000
MS_UNBINDABLE = 0x20000
MS_PRIVATE = 0x40000
MS_SLAVE = 0x80000
MS_SHARED = 0x100000
MS_RELATIME = 0x200000
MS_I_VERSION = 0x800000
MS_STRICTATIME = 0x1000000
MS_LAZYTIME = 0x2000000

MNT_DETACH = 0x2
UMOUNT_NOFOLLOW = 0x8

OPEN_TREE_CLONE = 0x1
OPEN_TREE_CLOEXEC = os.O_CLOEXEC
AT_EMPTY_PATH = 0x1000
AT_RECURSIVE = 0x8000
MOVE_MOUNT_F_EMPTY_PATH = 0x4
MOVE_MOUNT_T_EMPTY_PATH = 0x40

FSOPEN_CLOEXEC = 0x1
FSCONFIG_SET_STRING = 1
FSCONFIG_CMD_CREATE = 6
FSMOUNT_CLOEXEC = 0x1

MOUNT_ATTR_RDONLY = 0x1
MOUNT_ATTR_NOSUID = 0x2
MOUNT_ATTR_NODEV = 0x4
MOUNT_ATTR_NOEXEC = 0x8
MOUNT_ATTR__ATIME = 0x70  # one of three, not bits: RELATIME is 0
MOUNT_ATTR_NOATIME = 0x10
MOUNT_ATTR_STRICTATIME = 0x20
MOUNT_ATTR_NODIRATIME = 0x80
MOUNT_ATTR_IDMAP = 0x100000
MOUNT_ATTR_NOSYMFOLLOW = 0x200000

_SYS_OPEN_TREE = 428
_SYS_MOVE_MOUNT = 429
_SYS_FSOPEN = 430
_SYS_FSCONFIG = 431
_SYS_FSMOUNT = 432
_SYS_MOUNT_SETATTR = 442

_mount = function(
    "mount",
    ctypes.c_char_p,
    ctypes.c_char_p,
    ctypes.c_char_p,
    ctypes.c_ulong,
    ctypes.c_char_p,
)
_umount2 = function("umount2", ctypes.c_char_p, ctypes.c_int)


class _MountAttr(ctypes.Structure):
    """`struct mount_attr` of linux/mount.h, version 0."""

    _fields_: ClassVar = [
        ("attr_set", ctypes.c_uint64),
        ("attr_clr", ctypes.c_uint64),
        ("propagation", ctypes.c_uint64),
        ("userns_fd", ctypes.c_uint64),
    ]


def mount(source: str | None, target: str, fstype: str | None, flags: int, data: str = "") -> None:
    """Attach a file system, or change a mount; see the manual of the call."""
    check(
        _mount(
            None if source is None else os.fsencode(source),
            os.fsencode(target),
            None if fstype is None else fstype.encode(),
            flags,
            os.fsencode(data) if data else None,
        ),
        target,
    )


def umount(target: str, flags: int = 0) -> None:
    """Unmount what is mounted on `target`."""
    check(_umount2(os.fsencode(target), flags), target)


def open_tree(path: str, *, recursive: bool) -> int:
    """Return a descriptor of a detached copy of the mount at `path`: a bind mount to be placed."""
    flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | (AT_RECURSIVE if recursive else 0)
    at_fdcwd = ctypes.c_int(-100)
    return syscall(
        _SYS_OPEN_TREE, at_fdcwd, ctypes.c_char_p(os.fsencode(path)), ctypes.c_uint(flags), on=path
    )


def detached_mount(fstype: str, source: str) -> int:
    """Return a descriptor of a new mount, to be placed, of a file system that needs no options."""
    name = ctypes.c_char_p(fstype.encode())
    context = syscall(_SYS_FSOPEN, name, ctypes.c_uint(FSOPEN_CLOEXEC), on=fstype)
    try:
        _fsconfig(context, FSCONFIG_SET_STRING, b"source", os.fsencode(source))
        _fsconfig(context, FSCONFIG_CMD_CREATE, None, None)
        flags, attributes = ctypes.c_uint(FSMOUNT_CLOEXEC), ctypes.c_uint(0)
        return syscall(_SYS_FSMOUNT, ctypes.c_int(context), flags, attributes, on=fstype)
    finally:
        os.close(context)


def _fsconfig(context: int, command: int, key: bytes | None, value: bytes | None) -> None:
    words = (ctypes.c_char_p(key), ctypes.c_char_p(value), ctypes.c_int(0))
    syscall(_SYS_FSCONFIG, ctypes.c_int(context), ctypes.c_uint(command), *words)


def move_mount(tree_fd: int, target_fd: int) -> None:
    """Attach the detached mount `tree_fd` on the file or directory `target_fd`."""
    syscall(
        _SYS_MOVE_MOUNT,
        ctypes.c_int(tree_fd),
        ctypes.c_char_p(b""),
        ctypes.c_int(target_fd),
        ctypes.c_char_p(b""),
        ctypes.c_uint(MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH),
    )


def mount_setattr(
    fd: int,
    attributes: int,
    *,
    recursive: bool,
    propagation: int = 0,
    cleared: int = 0,
    userns_fd: int = 0,
) -> None:
    """Take attributes from the mount at `fd` and add others: what it has beside them stays.

    `userns_fd` is the user namespace whose maps MOUNT_ATTR_IDMAP applies. Raises OSError, EPERM
    where the mount came from a more privileged namespace, which locked what it had.
    """
    attr = _MountAttr(attributes, cleared, propagation, userns_fd)
    syscall(
        _SYS_MOUNT_SETATTR,
        ctypes.c_int(fd),
        ctypes.c_char_p(b""),
        ctypes.c_uint(AT_EMPTY_PATH | (AT_RECURSIVE if recursive else 0)),
        ctypes.byref(attr),
        ctypes.c_size_t(ctypes.sizeof(attr)),
    )
