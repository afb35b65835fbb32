"""Smaller objects of a config.json's `linux` object."""

from typing import Any

import pytest

from rootless.errors import InvalidInput
from rootless.oci.document import Node
from rootless.oci.linux_objects import (
    Device,
    TimeOffset,
    parse_devices,
    parse_personality,
    parse_propagation,
    parse_time_offsets,
    refuse_intel_rdt,
)

FUSE = {"path": "/dev/fuse", "type": "c", "major": 10, "minor": 229}


def linux(**members: Any) -> Node:
    """Return the `linux` object of a document."""
    return Node(members, "spec", "linux")


def parse_all(members: Node) -> None:
    """Read all of them."""
    parse_devices(members)
    parse_time_offsets(members)
    parse_personality(members)
    parse_propagation(members)
    refuse_intel_rdt(members)


def test_absent() -> None:
    """What is not there is not asked for; an intelRdt that says nothing neither."""
    parse_all(linux(intelRdt={"closID": "", "enableCMT": False}))
    assert parse_devices(linux()) == ()
    assert parse_time_offsets(linux()) == {}
    assert parse_personality(linux()) == parse_propagation(linux()) == ""


def test_read() -> None:
    """Values are taken as they are."""
    assert parse_devices(linux(devices=[FUSE])) == (Device("/dev/fuse", "c", 10, 229),)
    assert parse_devices(linux(devices=[{"path": "/f", "type": "p"}])) == (Device("/f", "p"),)
    offsets = parse_time_offsets(linux(timeOffsets={"boottime": {"secs": -1, "nanosecs": 5}}))
    assert offsets == {"boottime": TimeOffset(-1, 5)}
    assert parse_personality(linux(personality={"domain": "LINUX32", "flags": []})) == "LINUX32"
    assert parse_propagation(linux(rootfsPropagation="rshared")) == "rshared"


@pytest.mark.parametrize(
    ("members", "fault"),
    [
        ({"devices": [{**FUSE, "type": "x"}]}, r"linux.devices\[0\].type is 'x', not one of c, u"),
        ({"devices": [{**FUSE, "path": "fuse"}]}, "path must be an absolute path"),
        ({"devices": [{"path": "/d", "type": "b", "major": 1}]}, r"\[0\].minor is missing"),
        ({"devices": [{**FUSE, "major": -1}]}, "major is not a number from 0"),
        ({"devices": [{**FUSE, "fileMode": 0o1000}]}, "fileMode is not the permissions"),
        ({"devices": [{**FUSE, "uid": -1}]}, "uid is not an ID"),
        ({"timeOffsets": {"realtime": {}}}, "timeOffsets.realtime is no clock"),
        ({"timeOffsets": {"boottime": {"nanosecs": 10**9}}}, "nanosecs is not a number from 0"),
        ({"timeOffsets": {"boottime": {"secs": "1"}}}, "secs is not an integer"),
        ({"personality": {}}, "personality.domain is missing"),
        ({"personality": {"domain": "BSD"}}, "personality.domain is 'BSD', not one of LINUX"),
        ({"personality": {"domain": "LINUX", "flags": ["x"]}}, r"flags\[0\] is no flag"),
        ({"rootfsPropagation": "hidden"}, "rootfsPropagation is 'hidden', not one of private"),
        ({"intelRdt": {"closID": "x"}}, "intelRdt.closID cannot be had: only root"),
        ({"intelRdt": {"enableMBM": True}}, "intelRdt.enableMBM cannot be had: only root"),
        ({"intelRdt": {"closID": 1}}, "intelRdt.closID is not a string"),
    ],
)
def test_faults(members: dict[str, Any], fault: str) -> None:
    """Each fault is named with its place."""
    with pytest.raises(InvalidInput, match=fault):
        parse_all(linux(**members))
