"""The resource options of `run`."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rootless.bundle.resources import ResourceOptions, cgroups_path, resources_of, uses_cgroup
from rootless.errors import InvalidInput
from rootless.oci.resources_spec import BlockIOLimits, CpuLimits, MemoryLimits, Resources

MIB = 1 << 20


@pytest.mark.parametrize(
    ("given_", "resources"),
    [
        ({}, Resources()),
        ({"memory": "64m"}, Resources(MemoryLimits(64 * MIB, swap=128 * MIB))),
        ({"memory": "0"}, Resources()),
        (
            {"memory": "64m", "memory_swap": "64m"},
            Resources(MemoryLimits(64 * MIB, swap=64 * MIB)),
        ),
        ({"memory": "64m", "memory_swap": "-1"}, Resources(MemoryLimits(64 * MIB, swap=-1))),
        ({"memory_reservation": "1g"}, Resources(MemoryLimits(reservation=1024 * MIB))),
        ({"cpus": "1.5"}, Resources(cpu=CpuLimits(quota=150_000, period=100_000))),
        ({"cpus": "0"}, Resources()),
        (
            {"cpu_period": "50000", "cpu_quota": "25000"},
            Resources(cpu=CpuLimits(quota=25_000, period=50_000)),
        ),
        ({"cpu_quota": "-1"}, Resources(cpu=CpuLimits(quota=-1))),
        ({"cpu_shares": "512"}, Resources(cpu=CpuLimits(shares=512))),
        ({"cpu_shares": "0"}, Resources()),
        (
            {"cpuset_cpus": "0-3,7", "cpuset_mems": "0"},
            Resources(cpu=CpuLimits(cpus="0-3,7", mems="0")),
        ),
        ({"pids_limit": "7"}, Resources(pids_limit=7)),
        ({"pids_limit": "0"}, Resources(pids_limit=-1)),
        ({"pids_limit": "-1"}, Resources(pids_limit=-1)),
        ({"blkio_weight": "500"}, Resources(block_io=BlockIOLimits(weight=500))),
    ],
)
def test_meaning(given_: dict[str, str], resources: Resources) -> None:
    """Each option means what it means to podman; swap is twice the memory if not given."""
    assert resources_of(ResourceOptions(**given_)) == resources


@pytest.mark.parametrize(
    ("given_", "says"),
    [
        ({"memory": "x"}, "not a size: x"),
        ({"memory_swap": "1g"}, "--memory-swap needs --memory"),
        ({"memory": "2g", "memory_swap": "1g"}, "--memory-swap is less than --memory"),
        ({"memory": "1g", "memory_reservation": "2g"}, "--memory-reservation is more"),
        ({"cpus": "two"}, "not a number of CPUs: two"),
        ({"cpus": "-1"}, "not a number of CPUs: -1"),
        ({"cpus": "nan"}, "not a number of CPUs: nan"),
        ({"cpus": "inf"}, "not a number of CPUs: inf"),
        ({"cpus": "0.001"}, "not a number of CPUs: 0.001"),
        ({"cpus": "1", "cpu_period": "9"}, "--cpus excludes"),
        ({"cpu_shares": "1.5"}, "--cpu-shares must be a whole number"),
        ({"cpu_shares": "-1"}, "--cpu-shares must be a whole number"),
        ({"cpuset_cpus": "0-"}, "--cpuset-cpus must be a list of numbers"),
        ({"cpuset_mems": "a"}, "--cpuset-mems must be a list of numbers"),
        ({"pids_limit": "-2"}, "--pids-limit must be a whole number"),
        ({"blkio_weight": "5"}, "--blkio-weight must lie between"),
    ],
)
def test_refused(given_: dict[str, str], says: str) -> None:
    """What makes no sense is refused by its option's name."""
    with pytest.raises(InvalidInput, match=says):
        resources_of(ResourceOptions(**given_))


@given(st.dictionaries(st.sampled_from(sorted(ResourceOptions.__slots__)), st.text(max_size=6)))
def test_any_text_is_read_or_refused(given_: dict[str, Any]) -> None:
    """Whatever is typed gives limits or InvalidInput, never another error."""
    try:
        found = resources_of(ResourceOptions(**given_))
    except InvalidInput:
        return
    assert isinstance(found, Resources)


@pytest.mark.parametrize(
    ("parent", "path"),
    [
        ("", ""),
        ("batch.slice", "batch.slice:rootless:id"),
        ("jobs", "jobs/rootless-id"),
        ("/jobs/", "/jobs/rootless-id"),
        ("/user.slice/x.slice", "/user.slice/x.slice/rootless-id"),
    ],
)
def test_parent(parent: str, path: str) -> None:
    """A slice is systemd's business, everything else a place in the tree."""
    assert cgroups_path(parent, "id") == path


def test_whether_there_is_a_cgroup() -> None:
    """Podman's words; what is none of them, or leads upwards, is refused."""
    assert [uses_cgroup(text) for text in ("", "enabled", "no-conmon", "disabled")] == [
        *(True, True, True, False)
    ]
    with pytest.raises(InvalidInput, match="--cgroups"):
        uses_cgroup("split")
    with pytest.raises(InvalidInput, match="upwards"):
        cgroups_path("a/../..", "id")
