"""`--gpus`."""

from pathlib import Path

import gpus as stand_ins
import pytest

from rootless.bundle import gpus
from rootless.bundle.gpus import GpuChoice, parse_gpus
from rootless.errors import InvalidInput, NotFound, Precondition
from rootless.oci.cdi_spec import CdiSpec, ContainerEdits


@pytest.mark.parametrize(
    ("text", "choice"),
    [
        ("all", GpuChoice()),
        ("device=all", GpuChoice()),
        ("count=all,capabilities=compute", GpuChoice()),
        ("2", GpuChoice(2)),
        ("0", GpuChoice(0)),
        ("device=0", GpuChoice(None, ("0",))),
        ('"device=0,2"', GpuChoice(None, ("0", "2"))),
        ("device=1,capabilities=utility", GpuChoice(None, ("1",))),
        ("GPU-12-34", GpuChoice(None, ("GPU-12-34",))),
        ("device=0:1", GpuChoice(None, ("0:1",))),
    ],
)
def test_spellings(text: str, choice: GpuChoice) -> None:
    """As docker and podman have them."""
    assert parse_gpus(text) == choice


@pytest.mark.parametrize("text", ["", "device=", "memory=1", "a b", "device=$(x)"])
def test_what_is_none(text: str) -> None:
    """Is refused."""
    with pytest.raises(InvalidInput, match="not a choice of GPUs"):
        parse_gpus(text)


def cdi(kind: str, *names: str) -> list[list[CdiSpec]]:
    """Return CDI files with devices that say which they are."""
    return [[CdiSpec(kind, devices={name: ContainerEdits((f"D{name}=1",)) for name in names})]]


def test_cdi_comes_first(tmp_path: Path) -> None:
    """Where there is a file of NVIDIA's or AMD's, it says what a GPU brings."""
    stand_ins.make_driver(tmp_path)
    specs = cdi("nvidia.com/gpu", "0", "1", "all")
    assert gpus.edits_of(GpuChoice(), specs, str(tmp_path)).env == ("Dall=1",)
    assert gpus.edits_of(GpuChoice(2), specs, str(tmp_path)).env == ("D0=1", "D1=1")
    assert gpus.edits_of(GpuChoice(None, ("1",)), specs).env == ("D1=1",)
    assert gpus.edits_of(GpuChoice(), cdi("amd.com/gpu", "0", "1")).env == ("D0=1", "D1=1")
    with pytest.raises(NotFound, match="not so many GPUs: 3"):
        gpus.edits_of(GpuChoice(3), specs)


def test_then_the_driver(tmp_path: Path) -> None:
    """By its files."""
    stand_ins.make_driver(tmp_path)
    one = gpus.edits_of(GpuChoice(1), [], str(tmp_path))
    assert one.nodes[0][1] == "/dev/nvidia1"
    assert not gpus.edits_of(GpuChoice(0), [], str(tmp_path))
    with pytest.raises(NotFound, match="there are 2"):
        gpus.edits_of(GpuChoice(3), [], str(tmp_path))


def test_then_amd_s_nodes(tmp_path: Path) -> None:
    """/dev/kfd with each render node, or with some."""
    dev = tmp_path / "dev"
    (dev / "dri").mkdir(parents=True)
    with pytest.raises(Precondition, match="no GPU is found"):
        gpus._amd(GpuChoice(), str(dev))
    for name in ("kfd", "dri/card0", "dri/renderD128", "dri/renderD129"):
        (dev / name).touch()
    everything = [path for _, path in gpus._amd(GpuChoice(), str(dev)).nodes]
    names = ("kfd", "dri/renderD128", "dri/renderD129", "dri/card0")
    assert everything == [f"/dev/{name}" for name in names]
    one = gpus._amd(GpuChoice(None, ("1",)), str(dev)).nodes
    assert [path for _, path in one] == ["/dev/kfd", "/dev/dri/renderD129"]
    with pytest.raises(NotFound, match="no such GPU"):
        gpus._amd(GpuChoice(None, ("2",)), str(dev))
