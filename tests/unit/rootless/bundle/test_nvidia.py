"""NVIDIA's driver, by the names of its files."""

from pathlib import Path

import gpus
import pytest

from rootless.bundle import nvidia
from rootless.errors import InvalidInput, NotFound


@pytest.fixture
def root(tmp_path: Path) -> str:
    """A driver's root."""
    gpus.make_driver(tmp_path)
    return str(tmp_path)


def test_gpus_come_in_the_order_of_the_bus(root: str) -> None:
    """As nvidia-smi numbers them, with their UUIDs."""
    assert nvidia.gpus(root) == (
        nvidia.Gpu("/dev/nvidia1", gpus.UUIDS[0]),
        nvidia.Gpu("/dev/nvidia0", gpus.UUIDS[1]),
    )
    assert nvidia.gpus(f"{root}/none") == ()


def test_all(root: str) -> None:
    """Every node, the driver's libraries and programs, and nothing else."""
    edits = nvidia.edits(None, root, "x86_64")
    names = ["nvidia1", "nvidia0", "nvidiactl", "nvidia-uvm", "nvidia-caps/nvidia-cap1"]
    assert [node[1] for node in edits.nodes] == [f"/dev/{name}" for name in names]
    assert all(source == f"{root}{path}" for source, path in edits.nodes)
    assert dict(edits.libraries) == {
        "libcuda.so.1": "/usr/local/nvidia/lib64/libcuda.so.1",
        "libnvidia-ml.so.1": "/usr/local/nvidia/lib64/libnvidia-ml.so.1",
    }
    mounts = {mount.destination: mount.source for mount in edits.mounts}
    assert mounts["/usr/bin/nvidia-smi"] == f"{root}/usr/bin/nvidia-smi"
    assert mounts["/usr/local/nvidia/lib64/libcuda.so.1"] == f"{root}/usr/lib/libcuda.so.535"
    assert edits.env == (f"NVIDIA_VISIBLE_DEVICES={','.join(gpus.UUIDS)}",)


@pytest.mark.parametrize(
    ("chosen", "nodes"),
    [
        (["0"], ["nvidia1"]),
        (["1", "0"], ["nvidia0", "nvidia1"]),
        ([gpus.UUIDS[1]], ["nvidia0"]),
        ([gpus.UUIDS[1][:10]], ["nvidia0"]),
    ],
)
def test_some(root: str, chosen: list[str], nodes: list[str]) -> None:
    """By number, by UUID or its beginning."""
    edits = nvidia.edits(chosen, root)
    assert [node[1] for node in edits.nodes][: len(nodes)] == [f"/dev/{name}" for name in nodes]
    assert len(edits.nodes) == len(nodes) + 3


def test_what_there_is_not(root: str) -> None:
    """A number too high; a part of a GPU, which only CDI knows."""
    with pytest.raises(NotFound, match="no such GPU: 2"):
        nvidia.edits(["2"], root)
    with pytest.raises(InvalidInput, match="needs a CDI file"):
        nvidia.edits(["0:1"], root)
