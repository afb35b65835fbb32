"""Process attributes: those that can be set and put back without privilege."""

import ctypes
import signal
from pathlib import Path

import pytest

from rootless.linux import prctl
from rootless.linux.libc import check, function

_PR_GET_PDEATHSIG = 2
_PR_GET_DUMPABLE = 3

_get = function("prctl", ctypes.c_int, ctypes.c_ulong, ctypes.c_ulong, ctypes.c_ulong)


def death_signal() -> int:
    """Return the signal that this process gets when its parent ends."""
    number = ctypes.c_int()
    check(_get(_PR_GET_PDEATHSIG, ctypes.addressof(number), 0, 0))
    return number.value


def test_parent_death_signal() -> None:
    """What is set is what the kernel has, and it can be cleared."""
    prctl.set_parent_death_signal(signal.SIGTERM)
    assert death_signal() == signal.SIGTERM
    prctl.clear_parent_death_signal()
    assert death_signal() == 0


def test_dumpable() -> None:
    """Both values reach the kernel."""
    try:
        prctl.set_dumpable(False)
        assert check(_get(_PR_GET_DUMPABLE, 0, 0, 0)) == 0
    finally:
        prctl.set_dumpable(True)
    assert check(_get(_PR_GET_DUMPABLE, 0, 0, 0)) == 1


def test_name_is_cut_to_what_the_kernel_takes() -> None:
    """ps(1) shows 15 bytes."""
    comm = Path("/proc/thread-self/comm")
    before = comm.read_text().rstrip("\n")
    try:
        prctl.set_name("rootless-a-long-name")
        assert comm.read_text() == "rootless-a-long\n"
    finally:
        prctl.set_name(before)


@pytest.mark.needs_user
def test_what_needs_privilege_says_so() -> None:
    """Without capabilities the bounding set stays, and none can be made ambient."""
    with pytest.raises(PermissionError):
        prctl.drop_bounding_capability(0)
    with pytest.raises(PermissionError):
        prctl.raise_ambient_capability(0)
    prctl.clear_ambient_capabilities()
