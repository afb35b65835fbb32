"""Check `kernel`: the system calls that running an image takes.

They are tried, not derived from the version: distributions backport, and the seccomp filter of a
surrounding container hides calls that the kernel has. A call with nonsense for arguments answers
EBADF, EFAULT, EINVAL or EPERM where it is there, ENOSYS where it is not.
"""

import ctypes
import errno
import os
from collections.abc import Sequence
from dataclasses import dataclass

from rootless.doctor.check import Check, State
from rootless.linux.libc import syscall

# Numbers of asm-generic/unistd.h, the same on every architecture; with the first Linux that has it.
_CALLS = {
    "open_tree": (428, "5.2"),
    "move_mount": (429, "5.2"),
    "pidfd_open": (434, "5.3"),
    "close_range": (436, "5.9"),
    "openat2": (437, "5.6"),
    "mount_setattr": (442, "5.12"),
}


@dataclass(frozen=True, slots=True)
class KernelFacts:
    """What was found.

    Attributes:
        release: As `uname -r` prints it.
        machine: As `uname -m` prints it.
        missing: Names of system calls that are not to be had.
        seccomp: A seccomp filter is in force, so that the kernel may have them all the same.
    """

    release: str
    machine: str
    missing: Sequence[str]
    seccomp: bool = False


def gather(*, seccomp: bool) -> KernelFacts:
    """Try every call."""
    name = os.uname()
    missing = tuple(call for call, (number, _) in _CALLS.items() if not _is_there(number))
    return KernelFacts(name.release, name.machine, missing, seccomp)


def check_kernel(facts: KernelFacts) -> Check:
    """Judge."""
    seen = f"Linux {facts.release}, {facts.machine}"
    if not facts.missing:
        return Check("kernel", State.OK, seen)
    calls = ", ".join(f"{call} (Linux {_CALLS[call][1]})" for call in facts.missing)
    if facts.seccomp:
        fix = (
            "allow them in the seccomp profile of the surrounding container "
            "(docker, podman: --security-opt seccomp=unconfined)"
        )
    else:
        fix = "use Linux 5.12 or later"
    return Check("kernel", State.FAILED, seen, f"system calls are missing: {calls}", fix)


def _is_there(number: int) -> bool:
    bad = ctypes.c_long(-1)
    try:
        # close_range(-1, 0, -1): first after last is EINVAL, so nothing is closed
        syscall(number, bad, ctypes.c_long(0), bad, ctypes.c_long(0), ctypes.c_long(0))
    except OSError as error:
        return error.errno != errno.ENOSYS
    return True
