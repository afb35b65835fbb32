"""Check `kernel`."""

from rootless.doctor.check import State
from rootless.doctor.kernel import KernelFacts, check_kernel, gather


def test_all_calls_there() -> None:
    """With every system call there is nothing to say but the version."""
    check = check_kernel(KernelFacts("6.1.0-18-amd64", "x86_64", ()))
    assert (check.state, check.seen, check.fix) == (State.OK, "Linux 6.1.0-18-amd64, x86_64", "")


def test_old_kernel_names_calls_and_version() -> None:
    """A missing call is named with the Linux that has it; the fix is a later kernel."""
    check = check_kernel(KernelFacts("5.10.0", "aarch64", ("mount_setattr",)))
    assert check.state is State.FAILED
    assert "mount_setattr (Linux 5.12)" in check.cause
    assert check.fix == "use Linux 5.12 or later"


def test_filtered_calls_blame_the_filter() -> None:
    """Under a seccomp filter the fix is the filter's, for the kernel may have the call."""
    check = check_kernel(KernelFacts("6.1.0", "x86_64", ("openat2",), seccomp=True))
    assert "seccomp" in check.fix


def test_this_kernel_has_them() -> None:
    """The host of the tests has every call, for root and for ordinary users."""
    assert gather(seccomp=False).missing == ()
