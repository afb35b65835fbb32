"""A container's record, for tests of what is done with records."""

from dataclasses import replace
from pathlib import Path

from rootless.containers.container import Container, OverlayRoot
from rootless.containers.record import Record
from rootless.oci.runtime_spec import Mount, Process, Spec
from rootless.userns.idmap import IDMap, Mapping
from rootless.userns.maps import Maps

MAPS = Maps(IDMap((Mapping(0, 1000, 1),)), IDMap((Mapping(0, 1000, 1),)), 0, 0, single=True)


def a_record(name: str = "n", digit: str = "a", **members: object) -> Record:
    """Return a container whose ID is one digit over and over."""
    container = Container(
        id=digit * 64,
        spec=Spec(Process(("sh", "-c", "\udcff"), env=("A=\udce9",)), mounts=(Mount("/m"),)),
        maps=MAPS,
        root=OverlayRoot(Path("/tree"), (Path("/layer"),), "auto", "rootless:pic", Path("/kept")),
        devices=(("/dev/fuse", "/dev/fuse"),),
        name_files={"/etc/hosts": b"\xff host\n"},
    )
    record = Record(digit * 64, name, f"2026-01-0{ord(digit) % 9}T00:00:00Z", container)
    return replace(record, **members)  # type: ignore[arg-type]
