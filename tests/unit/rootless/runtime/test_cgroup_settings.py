"""What linux.resources becomes in cgroup v2."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rootless.oci.resources_spec import (
    BlockIOLimits,
    CpuLimits,
    DeviceRule,
    DeviceThrottle,
    DeviceWeight,
    HugepageLimit,
    InterfacePriority,
    MemoryLimits,
    NetworkLimits,
    RdmaLimit,
    Resources,
)
from rootless.runtime.cgroup_settings import (
    io_weight,
    not_expressible,
    settings_of,
    swap_of,
    unfiltered_devices,
    weight_of_shares,
)

_SHARES = st.integers(min_value=2, max_value=262_144)
_BYTES = st.integers(min_value=1, max_value=1 << 62)


def written(resources: Resources) -> dict[str, str]:
    """Return what is written, by file."""
    return {setting.file: setting.value for setting in settings_of(resources)}


@given(_SHARES)
def test_weight_lies_in_its_range(shares: int) -> None:
    """cpu.weight lies in 1..10000, and grows with the shares."""
    assert 1 <= weight_of_shares(shares) <= weight_of_shares(shares + 1) <= 10_000


@pytest.mark.parametrize(
    ("shares", "weight"),
    [(1, 1), (2, 1), (1024, 100), (262_144, 10_000), (300_000, 10_000), (256, 35), (512, 59)],
)
def test_weight_of_known_shares(shares: int, weight: int) -> None:
    """Least, default and most of v1 are those of v2; between them runs runc's curve."""
    assert weight_of_shares(shares) == weight


@given(st.integers(min_value=10, max_value=1000))
def test_io_weight(weight: int) -> None:
    """crun(1): y = 1 + (x-10)*9999/990, whole numbers, 1..10000."""
    assert io_weight(weight) == 1 + (weight - 10) * 9999 // 990
    assert 1 <= io_weight(weight) <= 10_000
    assert (io_weight(10), io_weight(1000)) == (1, 10_000)


@given(_BYTES, _BYTES)
def test_swap_is_without_the_memory(limit: int, more: int) -> None:
    """v1 limits memory and swap together, v2 the swap alone."""
    assert swap_of(MemoryLimits(limit=limit, swap=limit + more)) == more
    assert written(Resources(memory=MemoryLimits(limit=limit, swap=limit + more))) == {
        "memory.max": str(limit),
        "memory.swap.max": str(more),
    }


@pytest.mark.parametrize(
    ("limits", "swap"),
    [
        (MemoryLimits(), None),
        (MemoryLimits(limit=5), None),
        (MemoryLimits(limit=5, swap=0), None),
        (MemoryLimits(limit=5, swap=5), 0),
        (MemoryLimits(limit=5, swap=-1), -1),
        (MemoryLimits(limit=-1), -1),
        (MemoryLimits(limit=-1, swap=7), 7),
    ],
)
def test_swap_without_a_number(limits: MemoryLimits, swap: int | None) -> None:
    """-1 is no limit, 0 asks for nothing; memory without a limit takes swap along."""
    assert swap_of(limits) == swap


@pytest.mark.parametrize(
    ("limits", "files"),
    [
        (CpuLimits(quota=50_000, period=20_000), {"cpu.max": "50000 20000"}),
        (CpuLimits(quota=50_000), {"cpu.max": "50000 100000"}),
        (CpuLimits(period=20_000), {"cpu.max": "max 20000"}),
        (CpuLimits(quota=-1), {"cpu.max": "max 100000"}),
        (CpuLimits(quota=0, period=0, shares=0), {}),
        (CpuLimits(shares=1024), {"cpu.weight": "100"}),
        (CpuLimits(burst=0, idle=1), {"cpu.max.burst": "0", "cpu.idle": "1"}),
        (CpuLimits(cpus="0-1", mems="0"), {"cpuset.cpus": "0-1", "cpuset.mems": "0"}),
    ],
)
def test_cpu(limits: CpuLimits, files: dict[str, str]) -> None:
    """Quota and period share a file; 0 asks for nothing."""
    assert written(Resources(cpu=limits)) == files


@pytest.mark.parametrize(("limit", "text"), [(5, "5"), (0, "max"), (-1, "max")])
def test_pids(limit: int, text: str) -> None:
    """No process at all is no limit that anybody means."""
    assert written(Resources(pids_limit=limit)) == {"pids.max": text}


def test_block_io() -> None:
    """Weights go to BFQ's file, and converted to io.weight; rates to io.max, one write each."""
    limits = BlockIOLimits(
        weight=500,
        weight_devices=(DeviceWeight(8, 0, 10), DeviceWeight(8, 16)),
        throttles=(DeviceThrottle("ReadBps", 8, 0, 600), DeviceThrottle("WriteIOPS", 8, 0, 0)),
    )
    assert [
        (setting.file, setting.value, setting.instead)
        for setting in settings_of(Resources(block_io=limits))
    ] == [
        ("io.bfq.weight", "500", ("io.weight", "default 4950")),
        ("io.bfq.weight", "8:0 10", ("io.weight", "8:0 1")),
        ("io.max", "8:0 rbps=600", None),
        ("io.max", "8:0 wiops=max", None),
    ]


def test_the_rest() -> None:
    """Huge pages, RDMA, and what is written as it stands, last."""
    resources = Resources(
        memory=MemoryLimits(limit=1 << 20, reservation=1 << 19),
        hugepages=(HugepageLimit("2MB", 0),),
        rdma=(RdmaLimit("mlx5_1", 3, 10), RdmaLimit("mlx4_0", hca_objects=5), RdmaLimit("none")),
        unified={"memory.max": "7", "cgroup.max.depth": "2"},
    )
    assert [
        (setting.controller, setting.file, setting.value) for setting in settings_of(resources)
    ] == [
        ("memory", "memory.max", "1048576"),
        ("memory", "memory.low", "524288"),
        ("hugetlb", "hugetlb.2MB.max", "0"),
        ("rdma", "rdma.max", "mlx5_1 hca_handle=3 hca_object=10"),
        ("rdma", "rdma.max", "mlx4_0 hca_object=5"),
        ("memory", "memory.max", "7"),
        ("", "cgroup.max.depth", "2"),
    ]


def test_what_v2_does_not_have() -> None:
    """Members without a counterpart are named, those that ask for nothing are not."""
    resources = Resources(
        memory=MemoryLimits(kernel=1, swappiness=0, disable_oom_killer=True, use_hierarchy=True),
        cpu=CpuLimits(realtime_runtime=1, realtime_period=0),
        network=NetworkLimits(1, (InterfacePriority("eth0", 1),)),
    )
    assert not_expressible(resources) == (
        *("memory.kernel", "memory.swappiness", "memory.disableOOMKiller", "cpu.realtimeRuntime"),
        *("network.classID", "network.priorities"),
    )
    assert (
        not_expressible(Resources(memory=MemoryLimits(kernel=-1, disable_oom_killer=False))) == ()
    )


def test_device_rules() -> None:
    """Denying all and allowing some needs no filter; denying one, or half of one, would."""
    deny_all = DeviceRule(allow=False, access="rwm")
    fine = (
        deny_all,
        DeviceRule(allow=False, type="a", major=-1, minor=-1, access="rwm"),
        DeviceRule(allow=True, type="c", access="m"),
        DeviceRule(allow=True, type="c", major=1, minor=3, access="rwm"),
        DeviceRule(allow=True, access="rwm"),
    )
    assert unfiltered_devices(fine) == ()
    filtered = (
        DeviceRule(allow=False, type="c", major=1, minor=3, access="rwm"),
        DeviceRule(allow=False, type="b", access="rwm"),
        DeviceRule(allow=True, type="c", major=1, minor=3, access="rm"),
    )
    assert unfiltered_devices((*fine, *filtered)) == filtered
