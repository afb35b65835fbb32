"""Checks `fuse-device` and `fusermount`."""

import errno

import pytest

from rootless.doctor.check import State
from rootless.doctor.fuse_device import FuseFacts, check_device, check_fusermount, gather
from rootless.errors import RootlessError
from rootless.userns.subid import Caller


@pytest.mark.parametrize(
    ("facts", "seen", "fix"),
    [
        (FuseFacts(open_errno=errno.ENOENT, mode=-1), "is not there", "modprobe fuse"),
        (FuseFacts(open_errno=errno.EACCES, mode=0o600), "mode 0600", "chmod 0666 /dev/fuse"),
        (FuseFacts(open_errno=errno.EPERM, mode=0o666), "mode 0666", "--device /dev/fuse"),
        (FuseFacts(refused=RootlessError("Operation not permitted")), "mode 0666", "seccomp"),
    ],
)
def test_what_stands_in_the_way(facts: FuseFacts, seen: str, fix: str) -> None:
    """No device, a device of root's, a device policy, a refused mount: each has its fix."""
    check = check_device(facts)
    assert check.state is State.FAILED
    assert seen in check.seen
    assert fix in check.fix


@pytest.mark.parametrize(
    ("tool", "set_id", "state", "fix"),
    [
        ("", False, State.WARNING, "as root: apt-get install fuse3"),
        ("/usr/bin/fusermount3", False, State.WARNING, "as root: chmod u+s /usr/bin/fusermount3"),
        ("/usr/bin/fusermount3", True, State.OK, ""),
    ],
)
def test_fusermount_is_never_in_the_way(tool: str, set_id: bool, state: State, fix: str) -> None:  # noqa: FBT001 - a column of the table
    """`run` works without fusermount3, so its absence is a warning."""
    check = check_fusermount(FuseFacts(fusermount=tool, fusermount_set_id=set_id))
    assert (check.state, check.fix) == (state, fix)


@pytest.mark.needs_fuse
@pytest.mark.both_users
def test_this_host_mounts_fuse() -> None:
    """The host of the tests mounts FUSE in a user namespace, and the mount goes at once."""
    check = check_device(gather(Caller.current(), userns_works=True))
    assert check.state is State.OK
    assert "opened and mounted" in check.seen
