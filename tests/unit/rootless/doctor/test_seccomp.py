"""Check `seccomp`."""

from pathlib import Path

from rootless.doctor.check import State
from rootless.doctor.seccomp import SeccompFacts, check_seccomp, gather


def test_all_there() -> None:
    """The library's version and the kernel's actions are shown, for reports."""
    check = check_seccomp(SeccompFacts("2.5.4", ("kill_process", "errno", "allow")))
    assert check.state is State.OK
    assert check.seen == "libseccomp 2.5.4, kill_process errno allow"


def test_without_the_library() -> None:
    """Containers run all the same: a warning, with the package's name."""
    check = check_seccomp(SeccompFacts("", ("allow",)))
    assert check.state is State.WARNING
    assert "libseccomp2" in check.fix


def test_without_filters() -> None:
    """A kernel that has none is named as the cause."""
    check = check_seccomp(SeccompFacts("2.5.4", ()))
    assert check.state is State.WARNING
    assert "CONFIG_SECCOMP_FILTER" in check.cause


def test_this_host(tmp_path: Path) -> None:
    """The host of the tests has both; a kernel without the file has no filters."""
    facts = gather()
    assert check_seccomp(facts).state is State.OK
    assert {"errno", "user_notif", "allow"} <= set(facts.actions)
    assert gather(tmp_path / "none").actions == ()
