"""A container's description."""

from pathlib import Path

import pytest

from rootless.containers.container import HOST, Container, PlainRoot
from rootless.oci.runtime_spec import Process, Spec
from rootless.userns.idmap import IDMap
from rootless.userns.maps import Maps


@pytest.mark.parametrize(("pid", "joins"), [("", False), (HOST, False), ("a" * 64, True)])
def test_joins_pids(pid: str, joins: bool) -> None:  # noqa: FBT001 - a column of the table
    """Only the processes of another container are joined."""
    maps = Maps(IDMap(()), IDMap(()), 0, 0, single=True)
    spec = Spec(process=Process(args=("true",)))
    assert Container("b" * 64, spec, maps, PlainRoot(Path("/x")), pid=pid).joins_pids is joins
