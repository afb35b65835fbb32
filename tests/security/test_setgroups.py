"""CVE-2014-8989: a group that takes rights away cannot be dropped by whoever is in it."""

import pytest
from executable import Rootless

pytestmark = [pytest.mark.needs_fuse, pytest.mark.needs_user]


@pytest.mark.both_users
def test_single_map(demo: Rootless) -> None:
    """With a map that the caller writes himself setgroups(2) is given up."""
    options = ("--userns", "single", "--security-opt", "seccomp=unconfined")
    assert demo.ok("run", *options, "debian-demo", "cat", "/proc/self/setgroups") == "deny\n"


@pytest.mark.needs_subid
def test_map_of_the_helpers(demo: Rootless) -> None:
    """Newgidmap(1) decides otherwise, and the caller's own groups do not come along."""
    script = "cat /proc/self/setgroups; id -G"
    assert demo.ok("run", "debian-demo", "sh", "-c", script) == "allow\n0\n"
