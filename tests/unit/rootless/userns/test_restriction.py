"""Which cause and which fix a refused user namespace gets."""

import errno
from pathlib import Path

import pytest

from rootless.errors import Precondition
from rootless.userns.restriction import Surroundings, explain, find_restriction

CASES = [
    (errno.ENOSPC, Surroundings(max_user_namespaces=0), "max_user_namespaces is 0", "sysctl -p"),
    (errno.EPERM, Surroundings(1000, userns_clone=0), "unprivileged_userns_clone is 0", "=1 "),
    (errno.EPERM, Surroundings(1000, 1, apparmor_restricts=1), "AppArmor", "contrib/apparmor"),
    (errno.ENOSPC, Surroundings(7), "limit of user namespaces is reached (7)", "end containers"),
    (errno.EUSERS, Surroundings(7), "nested too deep", "further outside"),
    (errno.EINVAL, Surroundings(), "no user namespaces", "CONFIG_USER_NS"),
    (errno.EPERM, Surroundings(7, in_chroot=True), "chroot", "outside the chroot"),
    (errno.EPERM, Surroundings(7, seccomp=True), "seccomp", "seccomp=unconfined"),
    (errno.EACCES, Surroundings(7, 1, 0), "security module", "journalctl -k"),
]


@pytest.mark.parametrize(("number", "around", "cause", "fix"), CASES)
def test_cause_and_fix(number: int, around: Surroundings, cause: str, fix: str) -> None:
    """Each knob that refuses user namespaces is named, with the command that turns it."""
    found = find_restriction(number, around)
    assert cause in found.cause
    assert fix in found.fix


def test_error_carries_the_check() -> None:
    """The error that the user sees names the doctor check that explains more."""
    error = explain(PermissionError(errno.EPERM, "Operation not permitted"))
    assert isinstance(error, Precondition)
    assert error.check == "userns"
    assert str(error).startswith("cannot make a user namespace: ")


def make_proc(folder: Path, **sysctls: str) -> Path:
    """Write a /proc with these /proc/sys files, `__` for the folder's slash."""
    for name, text in sysctls.items():
        path = folder / "sys" / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (folder / "self").mkdir()
    return folder


def test_read_takes_missing_and_odd_files(tmp_path: Path) -> None:
    """A knob that is not there, or does not hold a number, counts as not present."""
    proc = make_proc(tmp_path, user__max_user_namespaces="15000\n", kernel__other="x")
    (proc / "sys/kernel/unprivileged_userns_clone").write_text("what?\n")
    assert Surroundings.read(proc) == Surroundings(max_user_namespaces=15000)


def test_read_sees_chroot_and_seccomp(tmp_path: Path) -> None:
    """A root directory that is no mount point is a chroot; Seccomp: 2 is a filter."""
    proc = make_proc(tmp_path, kernel__apparmor_restrict_unprivileged_userns="1\n")
    (proc / "self/mountinfo").write_text("22 1 8:1 / /proc rw - proc proc rw\n")
    (proc / "self/status").write_text("Name:\tx\nSeccomp:\t2\n")
    around = Surroundings.read(proc)
    assert (around.apparmor_restricts, around.in_chroot, around.seccomp) == (1, True, True)


def test_this_host_is_read() -> None:
    """The real /proc gives a number for the limit."""
    assert Surroundings.read().max_user_namespaces is not None
