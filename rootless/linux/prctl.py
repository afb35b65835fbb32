"""prctl(2): the process attributes that a runner sets."""

import ctypes
import signal

from rootless.linux.libc import check, function

PR_SET_PDEATHSIG = 1
PR_SET_DUMPABLE = 4
PR_SET_NAME = 15
PR_CAPBSET_DROP = 24
PR_SET_KEEPCAPS = 8
PR_SET_CHILD_SUBREAPER = 36
PR_SET_NO_NEW_PRIVS = 38
PR_CAP_AMBIENT = 47
PR_CAP_AMBIENT_RAISE = 2
PR_CAP_AMBIENT_CLEAR_ALL = 4

_prctl = function(
    "prctl", ctypes.c_int, ctypes.c_ulong, ctypes.c_ulong, ctypes.c_ulong, ctypes.c_ulong
)


def set_parent_death_signal(number: signal.Signals) -> None:
    """Have the kernel send `number` to the caller when the thread that made it ends."""
    check(_prctl(PR_SET_PDEATHSIG, number, 0, 0, 0))


def clear_parent_death_signal() -> None:
    """Let the caller outlive the thread that made it."""
    check(_prctl(PR_SET_PDEATHSIG, 0, 0, 0, 0))


def set_child_subreaper() -> None:
    """Become the parent of the caller's orphaned descendants."""
    check(_prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0))


def set_dumpable(dumpable: bool) -> None:  # noqa: FBT001 - the kernel's own 0 and 1
    """Allow or refuse ptrace and /proc access by processes without privilege over the caller."""
    check(_prctl(PR_SET_DUMPABLE, int(dumpable), 0, 0, 0))


def set_name(name: str) -> None:
    """Name the calling thread, 15 bytes at most, as ps(1) shows it."""
    buffer = ctypes.create_string_buffer(name.encode()[:15])
    check(_prctl(PR_SET_NAME, ctypes.addressof(buffer), 0, 0, 0))


def drop_bounding_capability(number: int) -> None:
    """Drop a capability from the bounding set for good."""
    check(_prctl(PR_CAPBSET_DROP, number, 0, 0, 0))


def set_no_new_privileges() -> None:
    """Make execve(2) grant nothing that the caller lacks (no_new_privs, inherited)."""
    check(_prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))


def raise_ambient_capability(number: int) -> None:
    """Keep a permitted and inheritable capability across execve(2)."""
    check(_prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, number, 0, 0))


def clear_ambient_capabilities() -> None:
    """Empty the ambient set."""
    check(_prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0))
