"""Check `cgroup`."""

from pathlib import Path

import pytest

from rootless.doctor.cgroup import CgroupFacts, check_cgroup, gather
from rootless.doctor.check import Check, State
from rootless.runtime import cgroup_tree
from rootless.runtime.cgroup_tree import Layout, Place

OWN = Place(Layout.UNIFIED, Path("/sys/fs/cgroup"), Path("/sys/fs/cgroup/own"))
ALL = frozenset({"cpu", "memory", "pids", "io"})
REFUSAL = cgroup_tree.Refusal("the cgroup /x is not delegated to you", cgroup_tree.SCOPE_FIX)


def test_delegated() -> None:
    """Nothing to say where all that is usual is delegated, but what it is."""
    check = check_cgroup(CgroupFacts(OWN, None, ALL))
    assert check == Check("cgroup", State.OK, "cgroup v2, delegated: cpu io memory pids")


def test_systemd_makes_scopes() -> None:
    """A log-in session's cgroup is root's, and the user's systemd helps."""
    check = check_cgroup(CgroupFacts(OWN, REFUSAL, frozenset(), "unix:path=/run/user/1/bus"))
    assert check.state is State.OK
    assert "systemd" in check.seen


@pytest.mark.parametrize(
    ("facts", "cause", "fix"),
    [
        (CgroupFacts(OWN, REFUSAL), "not delegated to you", "Delegate=yes"),
        (CgroupFacts(OWN, None, frozenset({"pids"})), "without cpu, memory", "Delegate=yes"),
        (
            CgroupFacts(Place(Layout.LEGACY), cgroup_tree.BY_LAYOUT[Layout.LEGACY], bus="x"),
            "cgroup v1",
            "unified_cgroup_hierarchy",
        ),
        (
            CgroupFacts(Place(Layout.HYBRID, Path("/c"), Path("/c/own")), None),
            "without cpu, memory, pids",
            "unified_cgroup_hierarchy",
        ),
    ],
)
def test_what_is_missing(facts: CgroupFacts, cause: str, fix: str) -> None:
    """It is never a failure, containers run without limits; each cause has its fix."""
    check = check_cgroup(facts)
    assert check.state is State.WARNING
    assert cause in check.cause
    assert fix in check.fix


def test_this_host() -> None:
    """The check runs anywhere and is consistent with what was found."""
    facts = gather()
    assert check_cgroup(facts).state in (State.OK, State.WARNING)
    assert str(facts.place.layout) in check_cgroup(facts).seen
