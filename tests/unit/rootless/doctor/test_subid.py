"""Checks `subid` and `id-map-helpers`."""

import os
from dataclasses import replace

import pytest

from rootless.doctor.check import State
from rootless.doctor.subid import (
    Helper,
    SubidFacts,
    check_helpers,
    check_subid,
    first_free,
    gather,
)
from rootless.errors import RootlessError
from rootless.userns.subid import Caller

GOOD = SubidFacts(
    user="ann",
    subuids=((100000, 65536),),
    subgids=((100000, 65536),),
    newuidmap=Helper("/usr/bin/newuidmap", privileged=True),
    newgidmap=Helper("/usr/bin/newgidmap", privileged=True),
    first_free=165536,
)


def test_full_ranges() -> None:
    """Ranges of 65,536 IDs and set-user-ID helpers are all that is needed."""
    assert check_subid(GOOD).state is State.OK
    assert check_helpers(GOOD).state is State.OK


def test_no_range_is_a_warning_with_a_command_that_fits() -> None:
    """Without ranges it runs with one ID; the command takes a range that nobody has."""
    check = check_subid(replace(GOOD, subgids=()))
    assert check.state is State.WARNING
    assert "/etc/subgid has no line for ann" in check.cause
    assert check.fix.endswith("usermod --add-subuids 165536-231071 --add-subgids 165536-231071 ann")


def test_small_range_is_a_warning() -> None:
    """A range that does not hold the IDs of usual images is named with its size."""
    check = check_subid(replace(GOOD, subuids=((100000, 1000),)))
    assert check.state is State.WARNING
    assert "only 1000 can be mapped" in check.cause


def test_missing_helpers_name_the_package() -> None:
    """Without newuidmap the fix is the package that has it."""
    check = check_helpers(replace(GOOD, newuidmap=None))
    assert check.state is State.WARNING
    assert check.seen == "newuidmap missing, newgidmap /usr/bin/newgidmap"
    assert "uidmap" in check.fix


def test_unprivileged_helper_fails_only_where_it_is_used() -> None:
    """A helper that lost its set-user-ID bit stands in the way of those who have ranges."""
    weak = replace(GOOD, newgidmap=Helper("/opt/newgidmap", privileged=False))
    assert check_helpers(weak).state is State.FAILED
    assert check_helpers(weak).fix == "as root: chmod u+s /opt/newgidmap"
    assert check_helpers(replace(weak, subuids=(), subgids=())).state is State.WARNING


def test_helper_that_refuses() -> None:
    """What the helper said is shown, with the way round."""
    check = check_helpers(replace(GOOD, refused=RootlessError("newuidmap refuses the ID map")))
    assert check.state is State.FAILED
    assert "newuidmap refuses" in check.cause
    assert "--userns single" in check.fix


def test_first_free_is_above_every_range() -> None:
    """The proposed range begins after the highest one; odd lines are passed over."""
    assert first_free("a:100000:65536\n# note\nb:300000:10\nc:x:y\n") == 300010
    assert first_free("") == 100000


@pytest.mark.needs_subid
def test_this_user_has_a_map_that_works() -> None:
    """The real helpers map the real ranges of this user."""
    facts = gather(Caller.current(), userns_works=True)
    assert check_subid(facts).state is State.OK
    assert check_helpers(facts).state is State.OK


@pytest.mark.both_users
def test_user_without_ranges_is_named() -> None:
    """The user without ranges is told so under his own name."""
    if Caller.current().has_subids:
        pytest.skip("needs a user without sub-ID ranges")
    check = check_subid(gather(Caller.current(), userns_works=True))
    assert check.state is State.WARNING
    assert os.environ["USER"] in check.cause
