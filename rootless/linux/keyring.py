"""keyctl(2): a session keyring of one's own, so that the container does not hold the caller's."""

import ctypes
import os

from rootless.linux.libc import syscall

_SYS_KEYCTL = {"x86_64": 250, "ppc64le": 271, "s390x": 280}.get(os.uname().machine, 219)
_KEYCTL_JOIN_SESSION_KEYRING = 1


def join_new_session_keyring() -> None:
    """Replace the inherited session keyring by an empty one. Raises OSError (EDQUOT, ENOSYS)."""
    syscall(_SYS_KEYCTL, ctypes.c_int(_KEYCTL_JOIN_SESSION_KEYRING), ctypes.c_char_p(None))
