"""Namespaces: what an ordinary process is refused, and the kernel's numbers."""

import errno
import os

import pytest

from rootless.linux import namespaces

pytestmark = pytest.mark.needs_user


def test_flags_are_the_kernel_s() -> None:
    """A namespace's descriptor is taken with its own flag only: EPERM with it, EINVAL else."""
    flags = {
        "mnt": namespaces.CLONE_NEWNS,
        "cgroup": namespaces.CLONE_NEWCGROUP,
        "uts": namespaces.CLONE_NEWUTS,
        "ipc": namespaces.CLONE_NEWIPC,
        "pid": namespaces.CLONE_NEWPID,
        "net": namespaces.CLONE_NEWNET,
    }
    for name in flags:
        fd = os.open(f"/proc/self/ns/{name}", os.O_RDONLY)
        try:
            errors = {other: _refusal(fd, flag) for other, flag in flags.items()}
        finally:
            os.close(fd)
        assert errors == {o: errno.EPERM if o == name else errno.EINVAL for o in flags}


def _refusal(fd: int, flag: int) -> int | None:
    with pytest.raises(OSError, match=r".") as caught:
        namespaces.setns(fd, flag)
    return caught.value.errno


def test_refused_without_privilege() -> None:
    """New namespaces but the user's, and the names of the host's, need a capability."""
    for flags in (namespaces.CLONE_NEWNS, namespaces.CLONE_NEWPID, namespaces.CLONE_NEWNET):
        with pytest.raises(PermissionError):
            namespaces.unshare(flags)
    with pytest.raises(PermissionError):
        namespaces.sethostname("x")
    with pytest.raises(PermissionError):
        namespaces.setdomainname("x")


def test_nothing_to_unshare() -> None:
    """No flags change nothing; unknown ones are refused."""
    namespaces.unshare(0)
    with pytest.raises(OSError, match="Invalid argument"):
        namespaces.unshare(1)
