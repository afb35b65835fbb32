"""Checks of a cluster's node."""

import errno
from dataclasses import replace
from pathlib import Path
from typing import Any

import gpus
import pytest

from rootless.doctor import hpc
from rootless.doctor.check import Check, State
from rootless.doctor.store_fs import FolderFacts
from rootless.linux.statfs import FileSystem
from rootless.paths import Paths

DISK = FileSystem("ext4", 50 << 30, 1 << 20, read_only=False, no_exec=False, no_dev=False)
SHARED = replace(DISK, type_name="tmpfs")
FOLDER = FolderFacts(Path("/home/ann"), Path("/home/ann"), DISK)
GOOD = hpc.NodeFacts(FOLDER, FOLDER, SHARED)


def checked(name: str, **changes: Any) -> Check:
    """Return one check of a node that is good but for the changes."""
    return next(each for each in hpc.check_node(replace(GOOD, **changes)) if each.name == name)


def test_a_good_node() -> None:
    """Nothing to say."""
    assert {each.state for each in hpc.check_node(GOOD)} == {State.OK}
    assert not any(each.cause or each.fix for each in hpc.check_node(GOOD))


@pytest.mark.parametrize(
    ("name", "changes", "cause"),
    [
        ("home", {"home": replace(FOLDER, write_errno=errno.EACCES)}, "Permission denied"),
        ("temporary", {"temporary": replace(FOLDER, write_errno=errno.EROFS)}, "Read-only"),
        (
            "temporary",
            {"temporary": replace(FOLDER, file_system=replace(DISK, type_name="nfs"))},
            "over the network",
        ),
        ("shared-memory", {"shared": None}, "MPI wants it"),
        ("shared-memory", {"shared": replace(SHARED, free_bytes=1 << 20)}, "little"),
        ("namespaces", {"namespaces": 8}, "namespace"),
        ("processes", {"processes": 30}, "four"),
        ("memory-of-ranks", {"ptrace_scope": 2}, "process_vm_readv"),
        ("fabric", {"closed": ("/dev/infiniband/uverbs0",)}, "cannot open /dev/infiniband/uverbs0"),
        ("locked-memory", {"fabric": ("/dev/infiniband/uverbs0",), "locked": 65536}, "RDMA"),
    ],
)
def test_what_is_less(name: str, changes: dict[str, Any], cause: str) -> None:
    """Each is a warning with cause and fix."""
    check = checked(name, **changes)
    assert check.state is State.WARNING
    assert cause in check.cause
    assert check.fix


def test_what_is_seen() -> None:
    """Numbers, and what there is of GPUs."""
    assert checked("processes", processes=4096).seen == "at most 4096 (ulimit -u)"
    assert checked("locked-memory", locked=65536).seen == "at most 64 KiB (ulimit -l)"
    assert checked("locked-memory", locked=65536).state is State.OK
    seen = checked("gpu", cdi=("nvidia.com/gpu",), nvidia=2, amd=1).seen
    assert seen == "CDI files for nvidia.com/gpu, 2 of NVIDIA's driver, 1 of AMD's"


def test_of_this_node(tmp_path: Path) -> None:
    """It looks where the settings say."""
    gpus.make_driver(tmp_path / "driver")
    config = tmp_path / "config.toml"
    config.write_text(f'gpu_driver_root = "{tmp_path}/driver"\ncdi_folders = []\n')
    facts = hpc.gather(Paths(tmp_path, tmp_path, tmp_path, (config,)), str(tmp_path))
    assert facts.nvidia == 2
    assert facts.cdi == ()
    assert facts.home.path == tmp_path
    assert facts.namespaces > 0
