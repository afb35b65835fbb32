"""Where NVIDIA's driver has its files."""

import shutil
from pathlib import Path

import gpus
import pytest

from rootless.bundle import nvidia_files


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A driver's root."""
    gpus.make_driver(tmp_path)
    return tmp_path


def test_by_the_loader_s_cache(root: Path) -> None:
    """Of this processor only, and the real file."""
    assert nvidia_files.libraries(str(root), "x86_64") == {
        "libcuda.so.1": str(root / "usr/lib/libcuda.so.535"),
        "libnvidia-ml.so.1": str(root / "usr/lib/libnvidia-ml.so.535"),
    }
    assert nvidia_files.libraries(str(root), "riscv64") == {}


def test_in_a_folder_of_the_installer(root: Path) -> None:
    """By the name that the file itself has; a cache that says nothing is no hindrance."""
    (root / "etc/ld.so.cache").unlink()
    folder = root / "usr/local/nvidia/lib64"
    folder.mkdir(parents=True)
    gpus.build_library(folder / "libcuda.so.535.1", "libcuda.so.1")
    (folder / "libcuda.so.1").symlink_to("libcuda.so.535.1")
    (folder / "libcuda.so").symlink_to("libcuda.so.1")
    gpus.build_library(folder / "libother.so.1", "libother.so.1")
    (folder / "libnvidia-ml.so.1").write_text("no library")
    found = nvidia_files.libraries(str(root), "x86_64")
    assert found == {"libcuda.so.1": str(folder / "libcuda.so.535.1")}


def test_where_the_caller_s_loader_looks(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The host's own driver may be where a module file says."""
    gpus.build_library(root / "libcuda.so.1", "libcuda.so.1")
    monkeypatch.setenv("LD_LIBRARY_PATH", f"relative:{root}/none:{root}")
    monkeypatch.setattr(nvidia_files, "_LIBRARY_FOLDERS", ())
    found = nvidia_files.libraries("", "none")
    assert found == {"libcuda.so.1": str(root / "libcuda.so.1")}


def test_programs(root: Path) -> None:
    """The distribution's before an installer's; a script is none."""
    smi = root / "usr/bin/nvidia-smi"
    assert nvidia_files.programs(str(root)) == {"nvidia-smi": str(smi)}
    other = root / "usr/local/nvidia/bin/nvidia-smi"
    other.parent.mkdir(parents=True)
    shutil.copy(smi, other)
    assert nvidia_files.programs(str(root)) == {"nvidia-smi": str(smi)}
    smi.write_text("#!/bin/sh\nexec /usr/local/nvidia/bin/nvidia-smi\n")
    assert nvidia_files.programs(str(root)) == {"nvidia-smi": str(other)}
