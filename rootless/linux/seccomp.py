"""seccomp(2): put the calling thread, and what it becomes, under a filter."""

import errno
import os
import sys

from rootless.linux.raw import call

FILTER_FLAG_TSYNC = 1 << 0
FILTER_FLAG_LOG = 1 << 1
FILTER_FLAG_SPEC_ALLOW = 1 << 2
FILTER_FLAG_NEW_LISTENER = 1 << 3
FILTER_FLAG_TSYNC_ESRCH = 1 << 4
FILTER_FLAG_WAIT_KILLABLE_RECV = 1 << 5

INSTRUCTION_BYTES = 8  # struct sock_filter
MOST_INSTRUCTIONS = 4096  # BPF_MAXINSNS

_SYS_SECCOMP = {"x86_64": 317, "ppc64le": 358, "s390x": 348}.get(os.uname().machine, 277)
_SECCOMP_SET_MODE_FILTER = 1
_PADDING = bytes(6 if sys.maxsize > 1 << 32 else 2)


def set_filter(program: bytes, flags: int = 0) -> int:
    """Add a filter for good; return the listener with FILTER_FLAG_NEW_LISTENER, else 0.

    Needs no_new_privs or CAP_SYS_ADMIN in the thread's user namespace. Raises OSError.
    """
    if flags & FILTER_FLAG_TSYNC and flags & FILTER_FLAG_NEW_LISTENER:
        flags |= FILTER_FLAG_TSYNC_ESRCH  # else a thread's ID could not be told from a descriptor
    count = len(program) // INSTRUCTION_BYTES
    fprog = (count.to_bytes(2, sys.byteorder), _PADDING, (program,))  # struct sock_fprog
    result = call("syscall", _SYS_SECCOMP, _SECCOMP_SET_MODE_FILTER, flags, fprog)
    if result and not flags & FILTER_FLAG_NEW_LISTENER:  # the thread that TSYNC could not reach
        raise OSError(errno.ESRCH, os.strerror(errno.ESRCH))
    return result
