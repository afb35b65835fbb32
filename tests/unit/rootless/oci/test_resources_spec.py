"""`linux.resources` of a config.json."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rootless.errors import InvalidInput
from rootless.oci.document import Node
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
    parse_resources,
)

_AMOUNTS = st.integers(min_value=0, max_value=(1 << 63) - 1)
_MAYBE = st.none() | _AMOUNTS
_LIMITS = st.none() | st.just(-1) | _AMOUNTS
_FLAGS = st.none() | st.booleans()
_NAMES = st.from_regex(r"[a-z][a-z0-9_]{0,8}(\.[a-z0-9]{1,8})?", fullmatch=True)
_KINDS = st.sampled_from(["ReadBps", "WriteBps", "ReadIOPS", "WriteIOPS"])


@st.composite
def _memory(draw: st.DrawFn) -> MemoryLimits:
    limit = draw(_LIMITS)
    swap = draw(
        st.none() | st.just(-1) | (_AMOUNTS.map(lambda n: n + limit) if limit else st.just(0))
    )
    if limit == -1 and swap is not None:
        swap = max(swap, -1)
    return MemoryLimits(
        limit,
        draw(_LIMITS),
        swap,
        *(draw(_LIMITS), draw(_LIMITS), draw(_MAYBE)),
        *(draw(_FLAGS), draw(_FLAGS), draw(_FLAGS)),
    )


_CPU = st.builds(
    CpuLimits,
    *(_MAYBE, _LIMITS, _MAYBE, _MAYBE, _LIMITS, _MAYBE),
    cpus=st.sampled_from(["", "0-3,7"]),
    mems=st.sampled_from(["", "0"]),
    idle=_MAYBE,
)
_BLOCK_IO = st.builds(
    BlockIOLimits,
    _MAYBE,
    _MAYBE,
    st.lists(st.builds(DeviceWeight, _AMOUNTS, _AMOUNTS, _MAYBE, _MAYBE)).map(tuple),
    st.lists(st.builds(DeviceThrottle, _KINDS, _AMOUNTS, _AMOUNTS, _AMOUNTS)).map(
        # the document has them by kind
        lambda found: tuple(
            item
            for kind in ("ReadBps", "WriteBps", "ReadIOPS", "WriteIOPS")
            for item in found
            if item.kind == kind
        )
    ),
)
RESOURCES = st.builds(
    Resources,
    memory=_memory(),
    cpu=_CPU,
    pids_limit=_LIMITS,
    block_io=_BLOCK_IO,
    hugepages=st.lists(st.builds(HugepageLimit, st.just("2MB"), _AMOUNTS)).map(tuple),
    network=st.builds(
        NetworkLimits,
        _MAYBE,
        st.lists(st.builds(InterfacePriority, st.just("eth0"), _AMOUNTS)).map(tuple),
    ),
    rdma=st.dictionaries(_NAMES, st.tuples(_MAYBE, _MAYBE)).map(
        lambda found: tuple(RdmaLimit(name, *numbers) for name, numbers in found.items())
    ),
    unified=st.dictionaries(_NAMES, st.just("1")),
    devices=st.lists(
        st.builds(
            DeviceRule,
            st.booleans(),
            st.sampled_from(["", "a", "b", "c"]),
            _LIMITS,
            _LIMITS,
            st.sampled_from(["", "r", "rw", "rwm"]),
        )
    ).map(tuple),
)


def parse(document: Any) -> Resources:
    """Parse a document as `linux.resources`."""
    return parse_resources(Node(document, "spec", "linux.resources"))


@given(RESOURCES)
def test_written_and_read(resources: Resources) -> None:
    """What is written reads back as the same."""
    assert parse(resources.to_document()) == resources


def test_nothing_asked() -> None:
    """Nothing asked for is written as nothing, and read so."""
    assert Resources().to_document() == {}
    assert parse({}) == Resources()


def test_names_of_the_specification() -> None:
    """The members have the names of config-linux.md."""
    document = {
        "memory": {"limit": 2, "swap": 4, "kernelTCP": 1, "disableOOMKiller": True},
        "cpu": {"shares": 1024, "realtimeRuntime": 1, "cpus": "2-3"},
        "pids": {"limit": 7},
        "blockIO": {
            "leafWeight": 10,
            "weightDevice": [{"major": 8, "minor": 0, "weight": 500}],
            "throttleReadBpsDevice": [{"major": 8, "minor": 0, "rate": 600}],
        },
        "hugepageLimits": [{"pageSize": "2MB", "limit": 9}],
        "network": {"classID": 1, "priorities": [{"name": "eth0", "priority": 5}]},
        "rdma": {"mlx5_1": {"hcaHandles": 3, "hcaObjects": 10}},
        "unified": {"memory.high": "1"},
        "devices": [{"allow": False, "access": "rwm"}],
    }
    resources = parse(document)
    assert resources.memory == MemoryLimits(2, None, 4, kernel_tcp=1, disable_oom_killer=True)
    assert resources.rdma == (RdmaLimit("mlx5_1", 3, 10),)
    assert resources.to_document() == document


@pytest.mark.parametrize(
    ("document", "fault"),
    [
        ({"memory": {"limit": "1g"}}, r"linux.resources.memory.limit is not an integer"),
        ({"memory": {"limit": -2}}, r"memory.limit is not a whole number from -1 on"),
        ({"memory": {"swap": 5}}, r"memory.swap needs memory.limit"),
        ({"memory": {"swap": 5, "limit": 6}}, r"memory.swap counts memory and swap together"),
        ({"memory": {"useHierarchy": 1}}, r"memory.useHierarchy is not true or false"),
        ({"cpu": {"shares": -1}}, r"cpu.shares is not a whole number from 0 on"),
        ({"cpu": []}, r"linux.resources.cpu is not an object"),
        ({"pids": {"limit": 1 << 64}}, r"pids.limit is not a whole number"),
        ({"blockIO": {"weightDevice": [{"major": 8}]}}, r"weightDevice\[0\].minor is missing"),
        (
            {"blockIO": {"throttleReadBpsDevice": [{"major": 8, "minor": 0, "rate": -1}]}},
            r"throttleReadBpsDevice\[0\].rate is not a whole number",
        ),
        ({"hugepageLimits": [{"pageSize": "../x", "limit": 1}]}, r"\[0\].pageSize is not the name"),
        ({"unified": {"../cgroup.procs": "1"}}, "is not the name of a cgroup's file"),
        ({"unified": {"memory.high": 1}}, r"unified.memory.high is not a string"),
        ({"rdma": {"a b": {}}}, "is not a device's name"),
        ({"devices": [{}]}, r"devices\[0\].allow is missing"),
        ({"devices": [{"allow": True, "type": "x"}]}, r"devices\[0\].type is none of"),
        ({"devices": [{"allow": True, "access": "rx"}]}, r"devices\[0\].access holds letters"),
        ({"network": {"priorities": [{"name": "a"}]}}, r"priorities\[0\].priority is missing"),
    ],
)
def test_faults(document: Any, fault: str) -> None:
    """Each fault is named with its place."""
    with pytest.raises(InvalidInput, match=fault):
        parse(document)
