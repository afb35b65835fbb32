"""Resource limits."""

import logging
import resource
from collections.abc import Iterator

import pytest

from rootless.errors import RootlessError
from rootless.oci.runtime_spec import Rlimit
from rootless.runtime.rlimits import steps
from rootless.runtime.workload import play

# Which nothing in a test depends on; the hard limit of a process without privilege never rises.
TYPE = resource.RLIMIT_MSGQUEUE


@pytest.fixture(autouse=True)
def limits() -> Iterator[tuple[int, int]]:
    """Give the limit and put its soft value back."""
    before = resource.getrlimit(TYPE)
    yield before
    resource.setrlimit(TYPE, (before[0], resource.getrlimit(TYPE)[1]))


def test_limit_is_set(limits: tuple[int, int]) -> None:
    """The kernel has what was asked for."""
    play(steps([Rlimit("RLIMIT_MSGQUEUE", 1000, limits[1])]))
    assert resource.getrlimit(TYPE) == (1000, limits[1])


@pytest.mark.parametrize("asked", [2**62, -1])
def test_more_than_allowed_is_lowered(
    limits: tuple[int, int], asked: int, caplog: pytest.LogCaptureFixture
) -> None:
    """Above the caller's hard limit he gets that, and is told."""
    if limits[1] == resource.RLIM_INFINITY:
        pytest.fail("the test needs a resource with a hard limit")
    with caplog.at_level(logging.WARNING):
        play(steps([Rlimit("RLIMIT_MSGQUEUE", asked, asked)]))
    assert resource.getrlimit(TYPE) == (limits[1], limits[1])
    assert "RLIMIT_MSGQUEUE is lowered" in caplog.text


@pytest.mark.parametrize(
    ("limit", "fault"),
    [
        (Rlimit("RLIMIT_X", 0, 0), "unknown resource limit: RLIMIT_X"),
        (Rlimit("getrlimit", 0, 0), "unknown resource limit"),
        (Rlimit("RLIM_INFINITY", 0, 0), "unknown resource limit"),
        (Rlimit("RLIMIT_MSGQUEUE", 2, 1), "cannot set the resource limit: .*RLIMIT_MSGQUEUE=2:1"),
    ],
)
def test_what_is_no_limit(limit: Rlimit, fault: str) -> None:
    """A name that is none and a pair that the kernel refuses are named."""
    with pytest.raises(RootlessError, match=fault):
        play(steps([limit]))
