"""Check `userns`."""

import errno
from pathlib import Path

import pytest

from rootless.doctor.check import State
from rootless.doctor.userns import UsernsFacts, check_userns, gather
from rootless.errors import RootlessError
from rootless.userns.restriction import Surroundings, explain
from rootless.userns.subid import Caller


def test_works() -> None:
    """One that was made and mounted in is fine; the limit is shown."""
    check = check_userns(UsernsFacts(Surroundings(max_user_namespaces=96000), None))
    assert check.state is State.OK
    assert "96000" in check.seen


def test_refused_outright_says_what_the_error_says() -> None:
    """Doctor and the error of a refused run name the same cause and fix."""
    error = explain(OSError(errno.EUSERS, "Too many users"))
    check = check_userns(UsernsFacts(Surroundings(), error))
    assert check.state is State.FAILED
    assert check.cause in str(error)
    assert check.fix == error.fix


def test_made_but_worthless_is_apparmor() -> None:
    """Where the namespace is made and the mount refused, the restriction of Ubuntu is named."""
    around = Surroundings(max_user_namespaces=96000, apparmor_restricts=1)
    check = check_userns(UsernsFacts(around, RootlessError("Permission denied", "/tmp/x")))
    assert check.state is State.FAILED
    assert "apparmor_restrict_unprivileged_userns" in check.cause
    assert "contrib/apparmor/rootless" in check.fix


@pytest.mark.both_users
def test_this_host_allows_it(tmp_path: Path) -> None:
    """The host of the tests allows it, with and without sub-IDs, and nothing is left behind."""
    del tmp_path
    assert gather(Caller.current(), Surroundings.read()).refused is None
