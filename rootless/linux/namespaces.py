"""Namespaces: unshare(2), setns(2) and the clone flags (namespaces(7), linux/sched.h)."""

import ctypes
import fcntl

from rootless.linux.libc import check, function
from rootless.linux.mount_api import MS_REC, MS_SLAVE, mount

CLONE_NEWTIME = 0x00000080
CLONE_NEWNS = 0x00020000
CLONE_NEWCGROUP = 0x02000000
CLONE_NEWUTS = 0x04000000
CLONE_NEWIPC = 0x08000000
CLONE_NEWUSER = 0x10000000
CLONE_NEWPID = 0x20000000
CLONE_NEWNET = 0x40000000

# what ioctl_ns(2) has of linux/nsfs.h
_NS_GET_USERNS = 0xB701
_NS_GET_NSTYPE = 0xB703

_unshare = function("unshare", ctypes.c_int)
_setns = function("setns", ctypes.c_int, ctypes.c_int)
_sethostname = function("sethostname", ctypes.c_char_p, ctypes.c_size_t)
_setdomainname = function("setdomainname", ctypes.c_char_p, ctypes.c_size_t)


def unshare(flags: int) -> None:
    """Move the caller into new namespaces (for PID: its future children)."""
    check(_unshare(flags))


def unshare_mounts() -> None:
    """Move the caller into a mount namespace of its own (mount_namespaces(7)).

    Unmounts of the host come in, so that nothing is held busy, and nothing of it goes out.
    """
    unshare(CLONE_NEWNS)
    mount(None, "/", None, MS_REC | MS_SLAVE)


def setns(fd: int, flags: int = 0) -> None:
    """Join the namespace, or with a pidfd the namespaces in `flags`, that `fd` refers to."""
    check(_setns(fd, flags))


def clone_flag(fd: int) -> int:
    """Return the CLONE_NEW* flag of the namespace that `fd` refers to (ioctl_ns(2)).

    Raises OSError, ENOTTY where it refers to something else.
    """
    return fcntl.ioctl(fd, _NS_GET_NSTYPE)


def owner_of(fd: int) -> int:
    """Return a descriptor of the user namespace that owns the one that `fd` refers to."""
    return int(fcntl.ioctl(fd, _NS_GET_USERNS))


def sethostname(name: str) -> None:
    """Set the host name of the caller's UTS namespace."""
    encoded = name.encode()
    check(_sethostname(encoded, len(encoded)))


def setdomainname(name: str) -> None:
    """Set the NIS domain name of the caller's UTS namespace."""
    encoded = name.encode()
    check(_setdomainname(encoded, len(encoded)))
