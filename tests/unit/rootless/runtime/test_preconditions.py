"""What is said before anything is made."""

import logging
from dataclasses import replace

import pytest

from rootless.errors import InvalidInput, Precondition
from rootless.oci.linux_objects import TimeOffset
from rootless.oci.linux_spec import LinuxSpec
from rootless.oci.runtime_spec import Capabilities, Process, Spec
from rootless.runtime.preconditions import check

SPEC = Spec(Process(("true",)))


def test_each_part_is_asked() -> None:
    """Namespaces and security modules have their say."""
    check(SPEC)
    with pytest.raises(InvalidInput, match="timeOffsets"):
        check(replace(SPEC, linux=LinuxSpec(time_offsets={"boottime": TimeOffset(1)})))
    with pytest.raises(Precondition, match="selinuxLabel"):
        check(replace(SPEC, process=replace(SPEC.process, selinux_label="l")))


def test_unknown_capabilities_are_named_once(caplog: pytest.LogCaptureFixture) -> None:
    """config.md: they are logged as a warning, however many sets name them."""
    sets = Capabilities(("CAP_KILL", "CAP_FLY"), ("CAP_FLY",), ambient=("KILL",))
    with caplog.at_level(logging.WARNING):
        check(replace(SPEC, process=replace(SPEC.process, capabilities=sets)))
    assert [record.args for record in caplog.records] == [("CAP_FLY",), ("KILL",)]
